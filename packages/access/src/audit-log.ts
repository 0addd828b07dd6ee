/**
 * The audit log: who has changed what, from where, and how it was before and after.
 *
 * 1. An entry is written in the transaction of its change: there is no change without its entry, and no entry of a change that was taken back. What goes through the commit
 *    lane (renaming and dropping a collection, the document of a new user) has its event in the log of its database as well; its entry follows right behind it.
 * 2. No entry is ever changed: a trigger refuses it, and lets none be deleted that is younger than 400 days.
 * 3. No entry holds a secret: callers give what lists show, and texts under the names of secrets are left out all the same.
 */
import type { AdminClient } from '@tidewire/db/client';
import type { SqlPool } from '@tidewire/db/sql-pool';
import type { AuditEntryAnswer, AuditPage } from '@tidewire/protocol/audit';
import type { JsonObject, JsonValue } from '@tidewire/protocol/json';
import type { AdminPrincipal } from './principal.js';

/** Who changes something, and from where. `actor` is `admin:<id>`, `cli` or `system`; `name` is what people call them; `address` is empty where there is no client. */
export type Doer = { readonly actor: string; readonly name: string; readonly address: string };

/** The server itself, and tests. */
export const systemDoer: Doer = { actor: 'system', name: 'system', address: '' };

/** An admin in a session. */
export function doerOf({ adminId, email, address }: AdminPrincipal): Doer {
  return { actor: `admin:${adminId}`, name: email, address };
}

/** A change. */
export type AuditChange = {
  /** Kind and verb, as in `key.create`. */
  action: string;
  /** Id or name of the database it was done to; null for none. */
  database: number | string | null;
  /** What it was done to, within that. */
  subject: string;
  /** As lists show it; null when it was not there. */
  before?: JsonValue | undefined;
  /** Null when it is gone. */
  after?: JsonValue | undefined;
};

/** A text of the entry that is longer is left out: its size stands for it. */
const mostChars = 32_768;
/** Named after what may not be read by anybody; compared without case. */
const secretNames =
  /^(password|newpassword|passwordhash|secret|totpsecret|sealed|hash|token|ticket|jwt|key|cookie|authorization|code)$/i;

/** $4: a database by its id, $5: by its name; at most one of them is given. */
const insertEntry = `INSERT INTO audit_entries (actor, name, action, database, subject, before, after, address)
  VALUES ($1, $2, $3, coalesce($5, (SELECT d.name FROM databases d WHERE d.id = $4::int)), $6, $7::jsonb, $8::jsonb, $9)`;

/** The statement that writes an entry, for a transaction of the raw driver: `client.query(auditStatement(doer, change))`. */
export function auditStatement(doer: Doer, change: AuditChange): { text: string; values: unknown[] } {
  const { id, name } = placeOf(change);
  const { action, subject, before, after } = change;
  const texts = [encode(before), encode(after)];
  return {
    text: insertEntry,
    values: [doer.actor, doer.name, action, id, name, shownSubject(subject), ...texts, doer.address],
  };
}

/** Writes an entry within a transaction of Prisma; the promise may stand in `prisma.$transaction([…])`. */
export function recordAudit(transaction: Pick<AdminClient, '$executeRaw'>, doer: Doer, change: AuditChange) {
  const { id, name } = placeOf(change);
  const { action, subject, before, after } = change;
  return transaction.$executeRaw`INSERT INTO audit_entries (actor, name, action, database, subject, before, after, address)
    VALUES (${doer.actor}, ${doer.name}, ${action}, coalesce(${name}::text, (SELECT d.name FROM databases d WHERE d.id = ${id}::int)),
      ${shownSubject(subject)}, ${encode(before)}::jsonb, ${encode(after)}::jsonb, ${doer.address})`;
}

function shownSubject(subject: string): string {
  return subject.slice(0, 500).replaceAll('\u0000', '\ufffd');
}

/** Postgres takes no NUL in a text, and no entry has one. */
function withoutNul(text: string | undefined): string | null {
  return text?.replaceAll('\u0000', '\ufffd') ?? null;
}

function placeOf({ database }: AuditChange): { id: number | null; name: string | null } {
  return typeof database === 'number' ? { id: database, name: null } : { id: null, name: database };
}

/** The JSON text without secrets, and without what jsonb does not take in texts and names: NUL, and halves of surrogate pairs, which JSON.stringify escapes. */
function encode(value: JsonValue | undefined): string | null {
  if (value === undefined || value === null) return null;
  const text = JSON.stringify(value, (name, item: unknown) =>
    typeof item === 'string' && secretNames.test(name) ? '[secret]' : item,
  ).replaceAll(/\\(?:\\|u0000|ud[89a-f][0-9a-f]{2})/g, (match) => (match === '\\\\' ? match : '\\ufffd'));
  return text.length <= mostChars ? text : JSON.stringify({ tooLong: text.length });
}

/** What of the log is asked for; all that are given have to hold. */
export type AuditFilter = {
  database?: string | undefined;
  /** The actor as it is written, or what people call them. */
  actor?: string | undefined;
  /** As it is written (`key.create`), or all of a kind (`key.*`). */
  action?: string | undefined;
  /** Entries with a smaller id. */
  before?: number | undefined;
};

export interface AuditLog {
  /** Newest first; `max` of them. */
  list(filter: AuditFilter, max: number): Promise<AuditPage>;
  /** All that match, oldest first, as lines of NDJSON in pieces of some hundred; reads on as they are taken. */
  export(filter: AuditFilter): AsyncGenerator<string, void>;
  /** Deletes what is older than 400 days; to be called now and then. */
  sweep(): Promise<void>;
}

const pageEntries = 500;

/** Along the primary key, and with a database along (database, id). */
const selectEntries = (order: 'ASC' | 'DESC') => ({
  name: `audit-entries-${order}`,
  text: `SELECT id, at, actor, name, action, database, subject, before, after, address FROM audit_entries
    WHERE ($1::text IS NULL OR database = $1) AND ($2::text IS NULL OR actor = $2 OR name = $2)
      AND ($3::text IS NULL OR action = $3 OR starts_with(action, $4::text)) AND ($5::bigint IS NULL OR id ${order === 'DESC' ? '<' : '>'} $5)
    ORDER BY id ${order} LIMIT $6`,
});
const newestFirst = selectEntries('DESC');
const oldestFirst = selectEntries('ASC');

type Row = Omit<AuditEntryAnswer, 'at'> & { at: Date };

/** Reads the log. Writing it is part of each change. */
export function createAuditLog({ pool }: { pool: SqlPool }): AuditLog {
  async function read(statement: typeof newestFirst, filter: AuditFilter, edge: number | null, max: number) {
    const [database, actor, action] = [filter.database, filter.actor, filter.action].map(withoutNul);
    const kind = action?.endsWith('.*') === true ? action.slice(0, -1) : null;
    const values = [database, actor, action, kind, edge, max];
    const { rows } = await pool.query<Row>({ ...statement, values });
    return rows.map((row): AuditEntryAnswer => ({ ...row, at: row.at.toISOString() }));
  }

  return {
    async list(filter, max) {
      const rows = await read(newestFirst, filter, filter.before ?? null, max + 1);
      const data = rows.slice(0, max);
      return { data, next: rows.length > max ? (data.at(-1)?.id ?? null) : null };
    },
    async *export(filter) {
      for (let last = 0; ; ) {
        const rows = await read(oldestFirst, filter, last, pageEntries);
        if (rows.length > 0) yield rows.map((row) => `${JSON.stringify(row)}\n`).join('');
        if (rows.length < pageEntries) return;
        last = rows.at(-1)?.id ?? last;
      }
    },
    async sweep() {
      await pool.query(`DELETE FROM audit_entries WHERE at < CURRENT_TIMESTAMP - interval '400 days'`);
    },
  };
}

/** Settings, a key, a role as a value of an entry: what has no meaning in JSON is left out. */
export function auditValue(value: object): JsonObject {
  return JSON.parse(JSON.stringify(value)) as JsonObject;
}
