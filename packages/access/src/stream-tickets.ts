/**
 * Tickets: a way into one stream that may stand in a URL, where a key should not, for URLs end up in logs. A ticket is good for 30 s and for one use on all nodes together: its row
 * in Postgres is deleted by the one who uses it. The stream is then one of the key or of the user that it was issued to, so that whatever ends those ends it.
 */
import { createHash } from 'node:crypto';
import type { Catalog } from '@tidewire/db/catalog';
import type { SqlPool } from '@tidewire/db/sql-pool';
import type { KeyOutcome } from './authenticate-key.js';
import { randomBase62 } from './base62.js';
import type { ApplicationPrincipal } from './principal.js';
import { endOf, standingOf } from './rights.js';
import { readUserIdentity, type UserDirectory, writeUserIdentity } from './user-directory.js';

/** How long a ticket may be used. */
export const ticketLifetimeMs = 30_000;

/** `ticket` is shown once; `expiresAt` is ISO 8601. */
export type IssuedTicket = { ticket: string; expiresAt: string };

export interface StreamTickets {
  issue(principal: ApplicationPrincipal): Promise<IssuedTicket>;
  /** Uses it up. `unknown` for one that was used, is over, or was never issued. */
  redeem(ticket: string): Promise<KeyOutcome>;
}

export type StreamTicketsDeps = {
  pool: SqlPool;
  catalog: Catalog;
  directory: Pick<UserDirectory, 'enter' | 'identityOf'>;
  /** Milliseconds since the epoch. */
  now: () => number;
};

/** 32 characters of base62, 190 random bits. */
const ticketPattern = /^tk_[0-9A-Za-z]{32}$/;

/** Each ticket that is issued takes up to two with it that are over, along the index on expires_at; rows that somebody just uses are passed over. */
const insertTicket = {
  name: 'stream-ticket-insert',
  text: `WITH swept AS (DELETE FROM stream_tickets WHERE hash = ANY (ARRAY(
      SELECT hash FROM stream_tickets WHERE expires_at <= $2::timestamptz ORDER BY expires_at LIMIT 2 FOR UPDATE SKIP LOCKED)))
    INSERT INTO stream_tickets (hash, expires_at, key_id, database_id, claims) VALUES ($1, $3::timestamptz, $4, $5, $6)`,
};
/** By the primary key. Of two at once the second waits for the first and finds nothing. */
const takeTicket = {
  name: 'stream-ticket-take',
  text: `DELETE FROM stream_tickets WHERE hash = $1
    RETURNING key_id AS "keyId", database_id AS "databaseId", claims, expires_at AS "expiresAt"`,
};

type TicketRow = { keyId: string | null; databaseId: number | null; claims: unknown; expiresAt: Date };

export function createStreamTickets({ pool, catalog, directory, now }: StreamTicketsDeps): StreamTickets {
  /** The columns that say whose it is. */
  function holderColumns(
    principal: ApplicationPrincipal,
  ): [keyId: string | null, database: number | null, claims: string | null] {
    if (principal.kind === 'key') return [principal.keyId, null, null];
    const identity = directory.identityOf(principal);
    if (identity === null) throw new Error('the user is none of the directory');
    return [null, principal.databaseId, writeUserIdentity(identity)];
  }

  return {
    async issue(principal) {
      const ticket = `tk_${randomBase62(32)}`;
      const at = now();
      const expiresAt = new Date(at + ticketLifetimeMs).toISOString();
      const values = [digest(ticket), new Date(at).toISOString(), expiresAt, ...holderColumns(principal)];
      await pool.query({ ...insertTicket, values });
      return { ticket, expiresAt };
    },
    async redeem(ticket) {
      if (!ticketPattern.test(ticket)) return { status: 'unknown' };
      const values = [digest(ticket)];
      const { rows } = await pool.query<TicketRow>({ ...takeTicket, values });
      const row = rows[0];
      if (row === undefined || row.expiresAt.getTime() <= now()) return { status: 'unknown' };
      return row.keyId === null ? ofUser(row) : ofKey(row.keyId);
    },
  };

  async function ofKey(keyId: string): Promise<KeyOutcome> {
    const database = await catalog.byKeyId(keyId);
    const key = database?.keys.get(keyId);
    if (!database || !key) return { status: 'unknown' };
    if (endOf(key, now()) !== null) return { status: 'revoked' };
    const principal = { kind: 'key' as const, databaseId: database.id, keyId: key.id };
    return { status: 'verified', principal, database, rights: key };
  }

  async function ofUser({ databaseId, claims }: TicketRow): Promise<KeyOutcome> {
    const database = databaseId === null ? null : await catalog.byId(databaseId);
    if (database === null) return { status: 'unknown' };
    const principal = await directory.enter(database, readUserIdentity(claims));
    const standing = standingOf(principal, database, now());
    if (standing.status === 'good') return { status: 'verified', principal, database, rights: standing.rights };
    return { status: 'token refused', isExpired: standing.ended === 'expired' };
  }
}

function digest(ticket: string): string {
  return createHash('sha256').update(ticket).digest('hex');
}
