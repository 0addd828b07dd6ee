/**
 * Slows guessing of passwords, for all processes together: a window of failures for each account and for each address, in Postgres.
 * An attempt is counted before the password is looked at, so that a thousand at once are still a thousand.
 */
import type { SqlPool } from '@tidewire/db/sql-pool';

export type ThrottleVerdict = { status: 'go' } | { status: 'wait'; seconds: number };

export interface LoginThrottle {
  /** Counts an attempt and says whether it may go on. */
  attempt(email: string, address: string): Promise<ThrottleVerdict>;
  /** Takes the attempt back, after the right password. */
  succeed(email: string, address: string): Promise<void>;
  /** Removes windows that are over; to be called now and then. */
  sweep(): Promise<void>;
}

/** `scope`: counts for itself, in a database for example; absent: those of admins. */
export type LoginThrottleDeps = { pool: SqlPool; now: () => number; scope?: string };

const WINDOW_MS = 15 * 60_000;
const ACCOUNT_LIMIT = 10;
/** An office behind one address has several people. */
const ADDRESS_LIMIT = 50;

/** One row locked, by the primary key. A window that is over begins anew; beyond a million nobody counts. */
const countAttempt = `
  INSERT INTO login_throttles AS t (subject, failures, window_start) VALUES ($1, 1, $2)
  ON CONFLICT (subject) DO UPDATE SET
    failures = CASE WHEN t.window_start <= $3 THEN 1 ELSE least(t.failures + 1, 1000000) END,
    window_start = CASE WHEN t.window_start <= $3 THEN $2 ELSE t.window_start END
  RETURNING failures, window_start`;

export function createLoginThrottle({ pool, now, scope }: LoginThrottleDeps): LoginThrottle {
  const inScope = (subject: string) => (scope === undefined ? subject : `${scope}:${subject}`);

  async function count(subject: string, limit: number): Promise<ThrottleVerdict> {
    const at = now();
    const { rows } = await pool.query<{ failures: number; window_start: Date }>(countAttempt, [
      inScope(subject),
      new Date(at),
      new Date(at - WINDOW_MS),
    ]);
    const row = rows[0];
    if (row === undefined || row.failures <= limit) return { status: 'go' };
    return { status: 'wait', seconds: Math.max(1, Math.ceil((row.window_start.getTime() + WINDOW_MS - at) / 1000)) };
  }

  return {
    async attempt(email, address) {
      // The address first: an address that has to wait cannot use up the tries of an account.
      const verdict = await count(addressSubject(address), ADDRESS_LIMIT);
      return verdict.status === 'wait' ? verdict : count(accountSubject(email), ACCOUNT_LIMIT);
    },
    async succeed(email, address) {
      await pool.query('DELETE FROM login_throttles WHERE subject = $1', [inScope(accountSubject(email))]);
      await pool.query('UPDATE login_throttles SET failures = greatest(failures - 1, 0) WHERE subject = $1', [
        inScope(addressSubject(address)),
      ]);
    },
    async sweep() {
      await pool.query('DELETE FROM login_throttles WHERE window_start <= $1', [new Date(now() - WINDOW_MS)]);
    },
  };
}

function accountSubject(email: string): string {
  return `account:${email}`;
}

/** IPv6 by its /64: who has one address of it has them all. */
function addressSubject(address: string): string {
  return `address:${addressGroup(address)}`;
}

/** The address itself for IPv4 (also when it is mapped into IPv6), the first four groups for IPv6. */
export function addressGroup(address: string): string {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1];
  if (mapped !== undefined) return mapped;
  if (!address.includes(':')) return address;
  const [head = '', tail] = address.toLowerCase().replace(/%.*$/, '').split('::');
  const first = head === '' ? [] : head.split(':');
  const last = tail === undefined || tail === '' ? [] : tail.split(':');
  const zeros = tail === undefined ? 0 : Math.max(0, 8 - first.length - last.length);
  const groups = [...first, ...Array<string>(zeros).fill('0'), ...last];
  return `${groups
    .slice(0, 4)
    .map((group) => group.replace(/^0+(?=.)/, ''))
    .join(':')}::/64`;
}
