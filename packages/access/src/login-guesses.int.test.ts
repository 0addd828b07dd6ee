import { connectPostgres, type PostgresConnections } from '@tidewire/db/client';
import { createTestDatabase } from '@tidewire/testing/test-database';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createAdminSessions } from './admin-sessions.js';
import { type Admins, createAdmins } from './admins.js';
import { createLoginThrottle } from './login-throttle.js';
import { createPasswords } from './passwords.js';
import { createSealedSecrets } from './sealed-secrets.js';
import { createSetupToken } from './setup-token.js';

const serverSecret = 'a secret of this test, of some length';
const email = 'ada@example.org';
const password = 'Straße und Brücke 10';
let connections: PostgresConnections;
let admins: Admins;

beforeAll(async () => {
  const { address } = await createTestDatabase();
  connections = connectPostgres(address, { onConnectionError: () => undefined });
  const { prisma, pool } = connections;
  const now = Date.now;
  const setupToken = createSetupToken(serverSecret);
  admins = createAdmins({
    prisma,
    sessions: createAdminSessions({ prisma, serverSecret, now }),
    throttle: createLoginThrottle({ pool, now }),
    passwords: createPasswords(),
    setupToken,
    secrets: createSealedSecrets(serverSecret),
    now,
  });
  await admins.setUp({ token: setupToken.text, email, password });
});
afterAll(() => connections.close());
beforeEach(() => connections.prisma.loginThrottle.deleteMany());

/** `in`, or the code of the refusal, by how often. */
async function guess(tries: { email: string; password: string; address: string }[]): Promise<Record<string, number>> {
  const outcomes: Record<string, number> = {};
  const work = [...tries];
  const one = async () => {
    for (let next = work.pop(); next !== undefined; next = work.pop()) {
      const code = await admins.signIn(next).then(
        () => 'in',
        (error: { code?: string }) => error.code ?? 'accident',
      );
      outcomes[code] = (outcomes[code] ?? 0) + 1;
    }
  };
  await Promise.all(Array.from({ length: 50 }, one));
  return outcomes;
}
const times = <T>(count: number, make: (n: number) => T) => Array.from({ length: count }, (_, n) => make(n));

describe('guessing (class A5)', () => {
  it('a thousand times from one address gets ten tries at the account, and others sign in meanwhile', async () => {
    const before = process.memoryUsage.rss();
    const guessing = guess(times(1_000, (n) => ({ email, password: `guess ${n}`, address: '192.0.2.1' })));
    await connections.prisma.admin.createMany({ data: [{ email: 'eve@example.org', passwordHash: '-' }] });
    const outcomes = await guessing;
    expect(outcomes).toEqual({ unauthenticated: 10, too_many_requests: 990 });
    expect(process.memoryUsage.rss() - before).toBeLessThan(200 * 1024 * 1024);
    await connections.prisma.loginThrottle.deleteMany({ where: { subject: `account:${email}` } });
    expect((await admins.signIn({ email, password, address: '203.0.113.9' })).admin.email).toBe(email);
  });

  it('a thousand times from a thousand addresses gets ten tries at the account', async () => {
    const tries = times(1_000, (n) => ({ email, password: `guess ${n}`, address: `10.1.${n >> 8}.${n & 255}` }));
    expect(await guess(tries)).toEqual({ unauthenticated: 10, too_many_requests: 990 });
  });

  it('one password for a thousand accounts gets fifty tries from an address, IPv6 by its /64', async () => {
    const tries = times(1_000, (n) => ({
      email: `person${n}@example.org`,
      password: 'Summer2026!',
      address: `2001:db8:1:2::${n.toString(16)}`,
    }));
    expect(await guess(tries)).toEqual({ unauthenticated: 50, too_many_requests: 950 });
  });

  it('fifty odd passwords are wrong like any other, and cost no accident', async () => {
    const odd = [
      '',
      ' ',
      '\u0000',
      `${password}\u0000`,
      `\u0000${password}`,
      password.toUpperCase(),
      password.toLowerCase(),
      password.slice(0, -1),
      `${password} `,
      'x'.repeat(1_000_000),
      '😀'.repeat(250_000),
      '\ud800',
      '\u202e',
      "' OR 1=1 --",
      '$argon2id$v=19$m=19456,t=2,p=1$',
      ...times(35, (n) => String.fromCodePoint(0x300 + n).repeat(n + 1)),
    ];
    expect(odd).toHaveLength(50);
    const outcomes: Record<string, number> = {};
    for (const [n, text] of odd.entries()) {
      if (n % 8 === 0) await connections.prisma.loginThrottle.deleteMany();
      const [[code = '']] = Object.entries(await guess([{ email, password: text, address: '192.0.2.2' }])) as [
        [string, number],
      ];
      outcomes[code] = (outcomes[code] ?? 0) + 1;
    }
    expect(outcomes).toEqual({ unauthenticated: 50 });
  });

  it('is none where the same letters are typed as other code points', async () => {
    for (const text of [password.normalize('NFD'), password.normalize('NFC')])
      expect((await admins.signIn({ email, password: text, address: '192.0.2.3' })).admin.email).toBe(email);
  });
});
