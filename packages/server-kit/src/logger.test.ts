import { expect, test } from 'vitest';
import { createLogger, formatForPeople } from './logger.js';

function collect(forPeople: boolean) {
  const lines: string[] = [];
  const log = createLogger({ level: 'info', write: (line) => lines.push(line), forPeople, colours: false });
  return { log, lines };
}

test('secrets in fields do not reach the log', () => {
  const { log, lines } = collect(false);
  log.info(
    {
      password: 'canary',
      req: { headers: { authorization: 'canary', 'x-apikey': 'canary' } },
      body: { token: 'canary' },
    },
    'm',
  );
  expect(lines[0]).not.toContain('canary');
  expect(JSON.parse(lines[0] ?? '')).toMatchObject({ level: 'info', msg: 'm', password: '[secret]' });
});

test('below the level nothing is written', () => {
  const { log, lines } = collect(false);
  log.debug({}, 'no');
  expect(lines).toEqual([]);
});

test('for people a line has time, level, message and fields, and an error its stack', () => {
  const { log, lines } = collect(true);
  log.warn({ pid: 7, err: new Error('broken') }, 'It ended.');
  expect(lines[0]).toMatch(/^\d\d:\d\d:\d\d warn {2}It ended\. pid=7\n {2}Error: broken\n/);
});

test('colours are used only when asked for', () => {
  const line = JSON.stringify({ time: '2026-01-01T10:00:00Z', level: 'info', msg: 'x' });
  expect(formatForPeople(line, false)).toBe('10:00:00 info  x\n');
});

test('text can neither begin a line of its own nor steer a terminal, in lines of JSON and in those for people', () => {
  const text = 'a\nb\r\u001b[31m\u009b2J\u2028\u007f';
  for (const forPeople of [false, true]) {
    const { log, lines } = collect(forPeople);
    log.warn({ path: text, err: new Error(text) }, text);
    expect(lines).toHaveLength(1);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: these are the ones that must not be there.
    expect(lines[0]).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u2028]/);
    const [head = '', ...rest] = lines[0]?.trimEnd().split('\n') ?? [];
    expect(head).toContain('\\u001b[31m');
    for (const line of rest) expect(line).toMatch(/^ {2}/);
  }
});

test('a secret in the message or the stack of an error does not reach the log', () => {
  const { log, lines } = collect(false);
  log.error({ err: new Error(`connect postgresql://ada:canary@db/x with tw_Abcdefgh1234_${'c'.repeat(38)}`) }, 'm');
  expect(lines[0]).not.toMatch(/canary|cccc/);
  expect(lines[0]).toContain('tw_Abcdefgh1234_[secret]');
});
