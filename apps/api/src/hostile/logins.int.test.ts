/** Guessing of the passwords of users, by one and by many, over real HTTP: few guesses get through, the owner can still sign in, and memory stays. */
import { createTestDatabase } from '@tidewire/testing/test-database';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestApi, type TestApi } from '../api.fixture.js';
import { eachOf } from './hostile.fixture.js';

let api: TestApi;
let key: string;
let server: string;
const password = 'correct horse battery';

beforeAll(async () => {
  const { address } = await createTestDatabase();
  api = await startTestApi(address, { trustProxy: 1 });
  await api.settings.patch(api.databaseId, { auth: { signUp: true } });
  key = (await api.createKey()).key;
  server = (await api.createKey({ rest: ['*:*'] })).key;
});
afterAll(async () => {
  expect(api.accidents).toEqual([]);
  await api.close();
});

async function send(path: string, body: unknown, address: string, apikey = key) {
  const response = await fetch(`${api.url}${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-apikey': apikey, 'x-forwarded-for': address },
    body: JSON.stringify(body),
  });
  const text = await response.text();
  return { status: response.status, body: text === '' ? null : JSON.parse(text), headers: response.headers };
}

const signUp = (email: string, address: string, given = password) =>
  send('/auth/signup', { email, password: given }, address);
const logIn = (email: string, given: string, address: string) =>
  send('/auth/login', { email, password: given }, address);
const addressOf = (n: number) => `198.18.${n >> 8}.${n & 255}`;

/** How many answers there were of each status. */
async function guesses(count: number, guess: (n: number) => ReturnType<typeof logIn>): Promise<Map<number, number>> {
  const statuses = new Map<number, number>();
  await eachOf(
    Array.from({ length: count }, (_, n) => n),
    20,
    async (n) => {
      const { status } = await guess(n);
      statuses.set(status, (statuses.get(status) ?? 0) + 1);
    },
  );
  return statuses;
}

describe('a thousand guesses', () => {
  it('from one address at one account get ten looked at, and others sign in meanwhile', async () => {
    await signUp('one@example.org', '10.1.0.1');
    await signUp('friend@example.org', '10.1.0.2');
    const before = process.memoryUsage().rss;
    const attack = guesses(1_000, (n) => logIn('one@example.org', `guess ${n}`, '10.9.9.9'));
    expect((await logIn('friend@example.org', password, '10.1.0.2')).status).toBe(200);
    const statuses = await attack;
    expect(statuses.get(401)).toBe(10);
    expect(statuses.get(429)).toBe(990);
    expect(process.memoryUsage().rss - before).toBeLessThan(200 * 1024 * 1024);
    const waits = await logIn('one@example.org', password, '10.9.9.9');
    expect([waits.status, Number(waits.headers.get('retry-after')) > 0]).toEqual([429, true]);
  }, 60_000);

  it('from a thousand addresses at one account get ten looked at', async () => {
    await signUp('many@example.org', '10.2.0.1');
    const statuses = await guesses(1_000, (n) => logIn('many@example.org', `guess ${n}`, addressOf(n)));
    expect(statuses.get(401)).toBe(10);
    expect(statuses.get(429)).toBe(990);
  }, 60_000);

  it('of one password over a thousand accounts from one address get fifty looked at, and not one more by forged headers', async () => {
    const statuses = await guesses(1_000, (n) => logIn(`person${n}@example.org`, 'Password123', '10.3.0.1'));
    expect(statuses.get(401)).toBe(50);
    expect(statuses.get(429)).toBe(950);
    const forged = await guesses(50, (n) => logIn(`other${n}@example.org`, 'Password123', `${addressOf(n)}, 10.3.0.1`));
    expect([...forged]).toEqual([[429, 50]]);
    expect((await logIn('friend@example.org', password, '10.1.0.2')).status).toBe(200);
  }, 60_000);

  it('at sign-up make at most fifty accounts from one address, an address of IPv6 being its /64', async () => {
    const statuses = await guesses(120, (n) => signUp(`flood${n}@example.org`, `2001:db8:0:1::${n.toString(16)}`));
    expect([statuses.get(201), statuses.get(429)]).toEqual([50, 70]);
  }, 60_000);
});

describe('passwords', () => {
  it('are the same however their letters are put together, and whatever else they hold', async () => {
    await signUp('nfd@example.org', '10.5.0.1', 'cafe\u0301 au lait, s\u0327il');
    expect((await logIn('nfd@example.org', 'caf\u00e9 au lait, \u015fil', '10.5.0.1')).status).toBe(200);
    // A password with NUL is refused as it comes, so that none is ever cut there.
    for (const path of ['/auth/signup', '/auth/login'])
      expect(
        (await send(path, { email: 'nul@example.org', password: 'before\u0000after it' }, '10.5.0.2')).status,
      ).toBe(422);
  });

  it('of a megabyte, of no text, and in other fields are refused before they cost anything', async () => {
    const long = await logIn('nul@example.org', 'x'.repeat(1_000_000), '10.6.0.1');
    expect([long.status, long.body.errors[0].field]).toEqual([422, '/password']);
    for (const body of [
      { email: 'a@example.org' },
      { email: 'a@example.org', password: ['x'] },
      { email: { $ne: null }, password },
      [],
      'x',
      null,
    ])
      expect((await send('/auth/login', body, '10.6.0.1')).status).toBe(422);
    const { rows } = await api.connections.pool.query("SELECT FROM login_throttles WHERE subject LIKE '%10.6.0.1'");
    expect(rows).toEqual([]);
  });

  it('and tokens stand in no document, event or answer but the one that is for them', async () => {
    const made = await signUp('canary@example.org', '10.7.0.1', 'canary-password-4711');
    const reset = await send('/auth/reset-token', { email: 'canary@example.org' }, '10.7.0.1', server);
    const dump = await api.connections.pool.query<{ text: string }>(
      `SELECT coalesce(string_agg(t, ' '), '') AS text FROM (
        SELECT to_jsonb(d)::text AS t FROM documents d UNION ALL SELECT to_jsonb(e)::text FROM events e
        UNION ALL SELECT to_jsonb(a)::text FROM user_accounts a UNION ALL SELECT to_jsonb(s)::text FROM user_sessions s
        UNION ALL SELECT to_jsonb(r)::text FROM password_resets r) AS all_rows`,
    );
    const stored = dump.rows[0]?.text ?? '';
    expect(stored).toContain('canary@example.org');
    for (const secret of ['canary-password-4711', made.body.jwt, made.body.refresh, reset.body.token])
      expect(stored.includes(secret)).toBe(false);
  });
});
