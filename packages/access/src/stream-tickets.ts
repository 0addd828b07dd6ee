/**
 * Tickets: a way into one stream that may stand in a URL, where a key should not, for URLs end up in logs. A ticket is good for 30 s and for one use on all nodes together: its row
 * in Postgres is deleted by the one who uses it. The stream is then one of the key that it was issued to, so the key's revocation counts.
 */
import { createHash } from 'node:crypto';
import type { Catalog } from '@tidewire/db/catalog';
import type { SqlPool } from '@tidewire/db/sql-pool';
import type { KeyOutcome } from './authenticate-key.js';
import { randomBase62 } from './base62.js';
import type { KeyPrincipal } from './principal.js';

/** How long a ticket may be used. */
export const ticketLifetimeMs = 30_000;

/** `ticket` is shown once; `expiresAt` is ISO 8601. */
export type IssuedTicket = { ticket: string; expiresAt: string };

export interface StreamTickets {
  issue(principal: KeyPrincipal): Promise<IssuedTicket>;
  /** Uses it up. `unknown` for one that was used, is over, or was never issued. */
  redeem(ticket: string): Promise<KeyOutcome>;
}

export type StreamTicketsDeps = {
  pool: SqlPool;
  catalog: Catalog;
  /** Milliseconds since the epoch. */
  now: () => number;
};

/** 32 characters of base62, 190 random bits. */
const ticketPattern = /^tk_[0-9A-Za-z]{32}$/;

/** Each ticket that is issued takes up to two with it that are over, along the index on expires_at; rows that somebody just uses are passed over. */
const insertTicket = {
  name: 'stream-ticket-insert',
  text: `WITH swept AS (DELETE FROM stream_tickets WHERE hash = ANY (ARRAY(
      SELECT hash FROM stream_tickets WHERE expires_at <= $4::timestamptz ORDER BY expires_at LIMIT 2 FOR UPDATE SKIP LOCKED)))
    INSERT INTO stream_tickets (hash, key_id, expires_at) VALUES ($1, $2, $3::timestamptz)`,
};
/** By the primary key. Of two at once the second waits for the first and finds nothing. */
const takeTicket = {
  name: 'stream-ticket-take',
  text: 'DELETE FROM stream_tickets WHERE hash = $1 RETURNING key_id AS "keyId", expires_at AS "expiresAt"',
};

export function createStreamTickets({ pool, catalog, now }: StreamTicketsDeps): StreamTickets {
  return {
    async issue({ keyId }) {
      const ticket = `tk_${randomBase62(32)}`;
      const at = now();
      const expiresAt = new Date(at + ticketLifetimeMs).toISOString();
      await pool.query({ ...insertTicket, values: [digest(ticket), keyId, expiresAt, new Date(at).toISOString()] });
      return { ticket, expiresAt };
    },
    async redeem(ticket) {
      if (!ticketPattern.test(ticket)) return { status: 'unknown' };
      const values = [digest(ticket)];
      const { rows } = await pool.query<{ keyId: string; expiresAt: Date }>({ ...takeTicket, values });
      const row = rows[0];
      if (row === undefined || row.expiresAt.getTime() <= now()) return { status: 'unknown' };
      const database = await catalog.byKeyId(row.keyId);
      const key = database?.keys.get(row.keyId);
      if (!database || !key) return { status: 'unknown' };
      if (key.revokedAt !== null) return { status: 'revoked' };
      const principal = { kind: 'key' as const, databaseId: database.id, keyId: key.id };
      return { status: 'verified', principal, database, key };
    },
  };
}

function digest(ticket: string): string {
  return createHash('sha256').update(ticket).digest('hex');
}
