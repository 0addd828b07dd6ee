import { expect, test } from 'vitest';
import { z } from 'zod';
import { parseOptions, renderEnvExample, renderOptionsHelp } from './options.js';

const port = z.string().regex(/^\d+$/).transform(Number).pipe(z.number().max(65_535));
const table = {
  port: {
    env: 'PORT',
    flag: 'port',
    schema: port,
    default: '4000',
    description: 'Where to listen',
    wants: 'a number up to 65535',
  },
  secret: {
    env: 'SECRET_KEY',
    flag: null,
    schema: z.string().min(4).optional(),
    default: null,
    description: 'Signs cookies',
    wants: 'at least 4 characters',
    secret: true,
  },
};

function read(env: Record<string, string>, flags?: Record<string, string>) {
  return parseOptions(table, {
    env,
    ...(flags ? { flags } : {}),
    readFile: (path) => (path === '/run/s' ? 'from file\n' : noFile()),
  });
}
function noFile(): never {
  throw new Error('ENOENT');
}

test('a flag wins over the environment, and that over the default', () => {
  expect(read({})).toEqual({ ok: true, values: { port: 4000, secret: undefined } });
  expect(read({ PORT: '1' })).toMatchObject({ values: { port: 1 } });
  expect(read({ PORT: '1' }, { port: '2' })).toMatchObject({ values: { port: 2 } });
});

test('an empty variable counts as not set', () => {
  expect(read({ PORT: '', SECRET_KEY: '', SECRET_KEY_FILE: '' })).toEqual({
    ok: true,
    values: { port: 4000, secret: undefined },
  });
});

test('all errors come at once, each with the variable, what it got and what it wants, and without a secret', () => {
  const outcome = read({ PORT: '70000', SECRET_KEY: 'abc' });
  expect(outcome).toEqual({
    ok: false,
    errors: [
      { name: 'PORT', message: 'PORT got "70000", and wants a number up to 65535.' },
      {
        name: 'SECRET_KEY',
        message: 'SECRET_KEY got a value that is not shown here, and wants at least 4 characters.',
      },
    ],
  });
  expect(read({}, { port: 'x' })).toMatchObject({
    errors: [{ message: '--port got "x", and wants a number up to 65535.' }],
  });
});

test('a secret may come from a file, without its last line break; not from both, not from a missing one', () => {
  expect(read({ SECRET_KEY_FILE: '/run/s' })).toMatchObject({ values: { secret: 'from file' } });
  expect(read({ SECRET_KEY_FILE: '/run/s', SECRET_KEY: 'abcd' })).toMatchObject({
    ok: false,
    errors: [{ name: 'SECRET_KEY_FILE' }],
  });
  expect(read({ SECRET_KEY_FILE: '/gone' })).toMatchObject({
    ok: false,
    errors: [{ message: expect.stringContaining('/gone') }],
  });
});

test('help and .env.example name every option with its default', () => {
  expect(renderOptionsHelp(table)).toContain('--port <value>, PORT  Where to listen (default: 4000)');
  expect(renderEnvExample(table)).toContain('# PORT=4000\n');
  expect(renderEnvExample(table)).toContain('SECRET_KEY_FILE');
});
