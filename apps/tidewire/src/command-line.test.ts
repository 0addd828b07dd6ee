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
    listen: [],
    publish: [],
    origin: ['*'],
    json: true,
    database: 'default',
  });
  expect(calls[0]?.[1]).toMatchObject({ dataDir: 'd' });
});

test('an unknown command is named, with those that there are', async () => {
  await expect(run('strat')).rejects.toThrow(/no command strat\. There are: start, migrate, import, .*key, settings/);
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
