import { CommanderError } from 'commander';
import { beforeEach, expect, test, vi } from 'vitest';
import { type Actions, createCommandLine } from './command-line.js';
import { optionTable } from './config.js';

let calls: unknown[][];

beforeEach(() => {
  calls = [];
});

async function run(...args: string[]): Promise<void> {
  const actions = new Proxy({} as Actions, {
    get:
      (_target, name) =>
      async (...given: unknown[]) =>
        void calls.push([name, ...given]),
  });
  await createCommandLine(actions).parseAsync(args, { from: 'user' });
}

test('without a command it starts, and flags are taken before and after the command', async () => {
  await run('--port', '4001');
  await run('start', '--port', '4001');
  expect(calls).toEqual([
    ['start', { port: '4001' }],
    ['start', { port: '4001' }],
  ]);
});

test('list options of key create may be repeated', async () => {
  await run(
    'key',
    'create',
    '--name',
    'n',
    '--rest',
    'GET:a',
    '--rest',
    '*:b',
    '--origin',
    '*',
    '--json',
    '--data-dir',
    'd',
  );
  expect(calls[0]?.[0]).toBe('createKey');
  expect(calls[0]?.[2]).toMatchObject({
    name: 'n',
    rest: ['GET:a', '*:b'],
    origin: ['*'],
    json: true,
    database: 'default',
  });
  expect(calls[0]?.[1]).toMatchObject({ dataDir: 'd' });
});

test('a key can be updated, rotated, and switched off and on by its id', async () => {
  await run('key', 'update', 'abc', '--expires', '30d', '--rate-limit', 'none', '--clear', 'origin', '--clear', 'rest');
  await run('key', 'rotate', 'abc', '--overlap', '12h');
  for (const verb of ['show', 'disable', 'enable', 'revoke']) await run('key', verb, 'abc');
  expect(calls.map(([name, , id]) => [name, id])).toEqual(
    ['updateKey', 'rotateKey', 'showKey', 'disableKey', 'enableKey', 'revokeKey'].map((name) => [name, 'abc']),
  );
  expect(calls[0]?.[3]).toEqual({
    database: 'default',
    json: false,
    expires: '30d',
    rateLimit: 'none',
    clear: ['origin', 'rest'],
  });
  expect(calls[1]?.[3]).toMatchObject({ overlap: '12h' });
});

test('the role of an admin or a user is no flag of the server', async () => {
  await run('admin', 'invite', 'vera@example.org', '--as', 'viewer', '--json');
  await run('user', 'create', 'ada@example.org', '--as', 'member');
  await run('database', 'delete', 'shop', '--confirm', 'shop');
  expect(calls).toEqual([
    ['inviteAdmin', expect.not.objectContaining({ role: 'viewer' }), 'vera@example.org', { as: 'viewer', json: true }],
    [
      'createUser',
      expect.not.objectContaining({ role: 'member' }),
      'ada@example.org',
      { as: 'member', database: 'default', json: false },
    ],
    ['deleteDatabase', expect.anything(), 'shop', { confirm: 'shop' }],
  ]);
});

test('an unknown command is named, with those that there are', async () => {
  await expect(run('strat')).rejects.toThrow(
    /no command strat\. There are: start, migrate, import, .*key, role, settings/,
  );
});

test('what is missing is a usage error', async () => {
  vi.spyOn(process.stderr, 'write').mockReturnValue(true);
  await expect(run('key', 'create')).rejects.toThrow(CommanderError);
  await expect(run('import', 'company')).rejects.toThrow(/missing required argument 'file'/);
  vi.restoreAllMocks();
});

test('the help names every variable of the configuration', async () => {
  let text = '';
  vi.spyOn(process.stdout, 'write').mockImplementation((chunk) => {
    text += String(chunk);
    return true;
  });
  await expect(run('--help')).rejects.toMatchObject({ exitCode: 0 });
  vi.restoreAllMocks();
  for (const { env } of Object.values(optionTable)) expect(text).toContain(env);
});
