import { expect, test } from 'vitest';
import { ConfigError, loadConfig, optionTable } from './config.js';
import { envExample } from './env-example.js';

test('without anything set it listens on this machine only and keeps its data in ./data', () => {
  expect(loadConfig({}, {})).toMatchObject({
    port: 4000,
    host: '127.0.0.1',
    dataDir: './data',
    databaseUrl: undefined,
    logLevel: 'info',
  });
});

test('every default is a value that the option itself allows', () => {
  for (const option of Object.values(optionTable)) {
    if (option.default !== null) expect(option.schema.safeParse(option.default).success, option.env).toBe(true);
  }
});

test('all that is wrong is said at once', () => {
  const read = () => loadConfig({ port: 'x' }, { LOG_LEVEL: 'loud', DATABASE_URL: 'mysql://canary@h/d' });
  expect(read).toThrow(ConfigError);
  expect(read).toThrow(/^--port got "x".*\nDATABASE_URL got a value that is not shown here.*\nLOG_LEVEL got "loud"/);
});

test('the first admin needs both an address and a password', () => {
  expect(() => loadConfig({}, { ADMIN_EMAIL: 'a@example.org' })).toThrow(
    'ADMIN_EMAIL is set and ADMIN_PASSWORD is not',
  );
  expect(() => loadConfig({}, { ADMIN_PASSWORD: 'long enough' })).toThrow(
    'ADMIN_PASSWORD is set and ADMIN_EMAIL is not',
  );
});

test('.env.example says what the table says (write it anew with: npx vitest run --project unit apps/tidewire -u)', async () => {
  await expect(envExample()).toMatchFileSnapshot('../../../.env.example');
});
