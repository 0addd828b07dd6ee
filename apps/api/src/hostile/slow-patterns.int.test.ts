/** Regular expressions and other conditions that are made to take long: refused, or answered, or stopped; and nobody else notices. */
import { slowPatterns } from '@tidewire/query/slow-patterns.fixture';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import {
  type Ask,
  createTally,
  eachOf,
  escapeText,
  expectRefusal,
  expectTried,
  type HostileApi,
  startHostileApi,
} from './hostile.fixture.js';

let hostile: HostileApi;
let plainId: string;

const repeated = (text: string, count: number) => text.repeat(count);
/** Each so long that a backtracking engine would need years, and long enough for a slow one. */
const longTexts = [
  repeated('a', 20_000),
  `${repeated('a', 20_000)}!`,
  `${repeated('ab', 10_000)}x`,
  `${repeated('a b ', 5_000)}1`,
  repeated('ks', 10_000),
  repeated('😀', 5_000),
  Array.from({ length: 20_000 }, (_, index) => String.fromCharCode(97 + ((index * index * 7_919) % 26))).join(''),
];

beforeAll(async () => {
  hostile = await startHostileApi();
  const documents = longTexts.map((text, n) => ({ n, text, deep: [{ text }] }));
  const made = await hostile.send({ method: 'POST', path: '/rest/long', body: JSON.stringify(documents) });
  expect(made.status).toBe(201);
  const plain = await hostile.send({ method: 'POST', path: '/rest/plain', body: '{"a":1}' });
  plainId = (JSON.parse(plain.text) as { _id: string })._id;
});
afterEach(() => expect(hostile.api.accidents).toEqual([]));
afterAll(() => hostile.close());

/** What a parser must refuse: not regular, not known, malformed, or too large when it is spelled out. */
const refused = [
  ...[
    '(.*)*\\1',
    '(a)\\1',
    '(?<x>a)\\k<x>',
    '\\g{1}',
    '(?=a)b',
    '(?!a)b',
    '(?<=a)b',
    '(?<!a)b',
    '(?>a+)b',
    'a++',
    'a*+',
    '(?R)',
    '(?1)',
    '(?(1)a|b)',
    '(?#x)',
  ],
  ...[
    '***=a',
    '***:a',
    '***',
    '(?x)a',
    '(?e)a',
    '(?b)a',
    '(?q)a',
    '(?-i)a',
    '\\m',
    '\\M',
    '\\y',
    '\\Y',
    '[[:<:]]',
    '[[:alpha:]]',
    '[[.a.]]',
    '[[=a=]]',
    '\\p{L}',
    '\\pL',
    '\\X',
    '\\K',
    '\\G',
    '\\Qa\\E',
  ],
  ...[
    '(',
    ')',
    '[',
    'a{2,1}',
    '*',
    '+',
    '?',
    '**',
    'a**',
    'a{1}{2}{3}',
    '[b-a]',
    '\\',
    '(?',
    '(?:',
    '(?:a',
    '[a',
    '[^',
    '\\x',
    '\\u12',
    '\\x{110000}',
    '\\x{d800}',
    '\\c',
    'a{101}',
    'a{1000}',
    'a{1,1000}',
  ],
  ...['a{1000}{1000}', '(?:a{100}){100}', '((a{50}){50}){50}', '(?:(?:(?:a{9}){9}){9}){9}', '(?:(?:a|b){100}){100}'],
  ...[
    repeated('(', 255),
    `${repeated('(', 128)}${repeated(')', 128)}x`,
    repeated('[', 256),
    'a'.repeat(257),
    repeated('a|', 200),
    repeated('😀', 129),
    '\u0000',
    'a\ud800',
  ],
];

/** Besides the patterns that both engines are compared by. */
const slow = [
  ...slowPatterns,
  // Not what they seem to be: signs that stand for themselves.
  ...['\\<', 'a{99999999999}', 'a{,5}{2}'],
  ...[
    '(a+)+b',
    '([a-zA-Z]+)*x1',
    '(a|b|ab)*c',
    '(?:a?){50}a{50}',
    '(.+)+=',
    '^(.*?,){11}P',
    'a.{0,99}b.{0,99}c.{0,99}d.{0,99}[0-9]$',
    '[😀-🙏]+$',
    '[\\x{1F600}-\\x{1F64F}]{1,100}!',
    '(?:[\\W_]+[^\\W_]+){50}$',
    '(?:\\s*\\S\\s*)*1x',
    '^(?:a(?:b(?:c(?:d)?)?)?)*$',
    '(?:a*a*a*a*a*a*a*a*)*b',
    '(x+x+)+y',
    '(?:^|a)+$b',
    'é*(?:É|é)*(?i)é$',
  ],
];

const q = escapeText;
const asRead = (pattern: string, options = ''): Ask => ({
  path: `/rest/long?q=${q(JSON.stringify({ text: { $regex: pattern, $options: options } }))}&max=0&totals=true`,
});

/** Reads plain things, again and again, until told to stop. */
function keepReading(): { stop(): Promise<number> } {
  let isOver = false;
  let count = 0;
  const loop = async () => {
    while (!isOver) {
      for (const path of [`/rest/plain/${plainId}`, '/rest/plain?max=5', '/health']) {
        const { status, text } = await hostile.sendBare({ path, headers: { 'x-apikey': hostile.key } });
        expect(`${path} ${status} ${text.slice(0, 100)}`).toContain(`${path} 200`);
        count += 1;
      }
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  };
  const reading = loop();
  // A refusal is told by `stop`, not as a rejection that nobody handles.
  reading.catch(() => undefined);
  return {
    async stop() {
      isOver = true;
      await reading;
      return count;
    },
  };
}

describe('patterns and conditions that are made to take long', () => {
  const tally = createTally();
  let reader: ReturnType<typeof keepReading>;
  beforeAll(() => {
    reader = keepReading();
  });

  it(`that are not regular, malformed or too large are refused with the reason: ${refused.length}`, async () => {
    await eachOf(refused, 2, async (pattern) => {
      for (const options of ['', 'i']) {
        const answer = await hostile.send(asRead(pattern, options));
        tally.note(answer);
        expectRefusal(answer, pattern, [pattern]);
        expect(answer.status, pattern).toBe(400);
        expect(answer.text, pattern).toContain('$regex');
      }
    });
  });

  it(`that are slow elsewhere are answered, or stopped with the limit: ${slow.length}`, {
    timeout: 120_000,
  }, async () => {
    await eachOf(slow, 2, async (pattern) => {
      const answer = await hostile.send(asRead(pattern));
      tally.note(answer);
      if (answer.status === 200) return;
      expectRefusal(answer, pattern, [pattern]);
      expect([400, 422], pattern).toContain(answer.status);
    });
  });

  it('in the conditions of writes change nothing that they are not true for', { timeout: 120_000 }, async () => {
    const before = await hostile.takeStock();
    await eachOf(
      slow.filter((_, index) => index % 4 === 0),
      1,
      async (pattern) => {
        const query = q(JSON.stringify({ n: -1, text: { $regex: pattern } }));
        const answer = await hostile.send({ method: 'DELETE', path: `/rest/long/*?q=${query}` });
        tally.note(answer);
        if (answer.status === 200) expect(JSON.parse(answer.text)).toEqual({ result: [], count: 0 });
        else expectRefusal(answer, pattern, [pattern]);
      },
    );
    expect(await hostile.takeStock()).toBe(before);
  });

  it('of many parts, searches and orders over long texts are answered, or stopped with the limit', {
    timeout: 120_000,
  }, async () => {
    const many = (count: number, make: (n: number) => unknown) => Array.from({ length: count }, (_, n) => make(n));
    const queries = [
      { $or: many(30, (n) => ({ text: { $regex: `${n}(?:a|b)+$` } })) },
      { $and: many(16, () => ({ text: { $regex: '(?:a|b|k|s)+' } })) },
      { $nor: many(16, (n) => ({ 'deep.text': { $regex: `[a-z]{${n},90}[0-9]` } })) },
      { text: { $in: many(1_000, (n) => `x${n}`) } },
      { deep: { $elemMatch: { text: { $regex: '(?:a?){50}a{50}$' } } } },
      { $text: { $search: many(32, (n) => `"a b ${n}"`).join(' ') } },
    ];
    const asks = [
      ...queries.map((query) => `/rest/long?max=0&q=${q(JSON.stringify(query))}`),
      `/rest/long?max=0&filter=${q(many(32, (n) => `-w${n}`).join(' '))}`,
      '/rest/long?max=0&sort=text&sort=deep.0.text&sort=deep.text&skip=10000',
      '/rest/long?groupby=text&groupby=deep.0.text&aggregate=COUNT:text&max=0',
      `/rest/long?max=0&h=${q(JSON.stringify({ $orderby: { 'deep.text': -1, text: 1, n: -1 } }))}`,
    ];
    await eachOf(asks, 2, async (path) => {
      const answer = await hostile.send({ path });
      tally.note(answer);
      if (answer.status !== 200) expectRefusal(answer, path.slice(0, 100), [path]);
    });
  });

  it('leave the pool full, and everybody else was served meanwhile', async () => {
    const reads = await reader.stop();
    expect(reads).toBeGreaterThan(50);
    const { pool } = hostile.api.connections;
    const { rows } = await pool.query<{ running: number }>(
      `SELECT count(*) AS running FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() AND state <> 'idle'`,
    );
    expect(rows).toEqual([{ running: 0 }]);
    expect([pool.idleCount, pool.waitingCount]).toEqual([pool.totalCount, 0]);
    console.info(`plain reads meanwhile: ${reads}`);
    expectTried('patterns and conditions that take long', tally, 80);
  });
});
