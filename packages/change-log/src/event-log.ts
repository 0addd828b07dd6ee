/** Reading the event log. Events never change once they are committed, so whole pages are shared between all readers. */
import type { SqlPool } from '@tidewire/db/sql-pool';
import type { EventType } from '@tidewire/protocol/channel';
import { type LogEvent, sizeOf } from './log-event.js';

/** What the narrow row of a database says now. */
export type LogHead = { databaseId: number; head: number; oldest: number; configVersion: number };

export interface EventLog {
  /** The heads of these databases, those that do not exist left out. One query. */
  heads(databaseIds: readonly number[]): Promise<LogHead[]>;
  /**
   * Events with `after < id`, in order, without a hole from `after + 1` on (unless retention took them); at most a page of them.
   * Empty when there are none yet.
   */
  read(databaseId: number, after: number): Promise<readonly LogEvent[]>;
  /**
   * The first `max` events with `after < id`, in order, whatever jumps the numbering makes. Fewer when their texts outgrow 16 MiB, but at least one when
   * there is one, so whoever goes on behind the last one gets to the end.
   */
  readAfter(databaseId: number, after: number, max: number): Promise<readonly LogEvent[]>;
  /** The newest `max` events with `id < before`, in ascending order. */
  readBefore(databaseId: number, before: number, max: number): Promise<readonly LogEvent[]>;
}

/** Ids of one page: `(n * PAGE, (n + 1) * PAGE]`. */
const PAGE = 500;

/** Bytes of text after which `readAfter` takes no further event. */
const READ_LIMIT_BYTES = 16 * 1024 * 1024;

/** An event as Postgres gives it. */
export type EventRow = Omit<LogEvent, 'at' | 'type'> & { type: EventType; at: Date };

/** The columns of `events` that make an `EventRow`. */
export const eventColumns = `id, type::text AS type, collection_id AS "collectionId", collection, document_id AS "documentId",
  before::text AS before, after::text AS after, name, data::text AS data, actor, operation_id::text AS "operationId", at`;

/** Ordered by id; by the primary key (database_id, id). No locks. */
const readRange = {
  name: 'event-log-read',
  text: `SELECT ${eventColumns} FROM events WHERE database_id = $1 AND id > $2 AND id <= $3 ORDER BY id`,
};
/** Along the primary key, ordered by id. The size of what stands before a row decides whether it still comes along. */
const readUp = {
  name: 'event-log-read-after',
  text: `SELECT ${eventColumns} FROM (
      SELECT *, coalesce(sum(coalesce(octet_length(before::text), 0) + coalesce(octet_length(after::text), 0)
          + coalesce(octet_length(data::text), 0)) OVER (ORDER BY id ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0) AS bytes_before
      FROM (SELECT * FROM events WHERE database_id = $1 AND id > $2 ORDER BY id LIMIT $3) AS page
    ) AS sized WHERE bytes_before < $4 ORDER BY id`,
};
const readDown = {
  name: 'event-log-read-before',
  text: `SELECT ${eventColumns} FROM events WHERE database_id = $1 AND id < $2 ORDER BY id DESC LIMIT $3`,
};
const readHeads = {
  name: 'event-log-heads',
  text: `SELECT database_id AS "databaseId", head, oldest, config_version AS "configVersion"
    FROM log_heads WHERE database_id = ANY($1::int[])`,
};

/**
 * A reader of the log over a pool. Complete pages are kept, the least recently used going first, up to `cacheLimitBytes`
 * (default 32 MiB); a page that many subscribers ask for at once is read once.
 */
export function createEventLog(pool: SqlPool, options: { cacheLimitBytes?: number } = {}): EventLog {
  const pages = createPageCache(options.cacheLimitBytes ?? 32 * 1024 * 1024);

  async function readPage(databaseId: number, page: number): Promise<readonly LogEvent[]> {
    const { rows } = await pool.query<EventRow>({ ...readRange, values: [databaseId, page * PAGE, (page + 1) * PAGE] });
    return rows.map(decodeEventRow);
  }

  return {
    async heads(databaseIds) {
      const { rows } = await pool.query<LogHead>({ ...readHeads, values: [databaseIds] });
      return rows;
    },
    async read(databaseId, after) {
      const page = Math.floor(after / PAGE);
      const events = await pages.get(`${databaseId}/${page}`, () => readPage(databaseId, page));
      const from = events.findIndex((event) => event.id > after);
      return from <= 0 ? (from === 0 ? events : []) : events.slice(from);
    },
    async readAfter(databaseId, after, max) {
      const values = [databaseId, after, max, READ_LIMIT_BYTES];
      const { rows } = await pool.query<EventRow>({ ...readUp, values });
      return rows.map(decodeEventRow);
    },
    async readBefore(databaseId, before, max) {
      const { rows } = await pool.query<EventRow>({ ...readDown, values: [databaseId, before, max] });
      return rows.reverse().map(decodeEventRow);
    },
  };
}

/** The event of a row. */
export function decodeEventRow(row: EventRow): LogEvent {
  return { ...row, at: row.at.toISOString() };
}

/** Pages that are being read are shared; those that turn out complete are kept, for they can never change. */
function createPageCache(limitBytes: number) {
  const reading = new Map<string, Promise<readonly LogEvent[]>>();
  const kept = new Map<string, { events: readonly LogEvent[]; bytes: number }>();
  let bytesKept = 0;

  function keep(key: string, events: readonly LogEvent[]): void {
    const bytes = events.reduce((sum, event) => sum + sizeOf(event), 0);
    kept.set(key, { events, bytes });
    bytesKept += bytes;
    for (const [oldest, page] of kept) {
      if (bytesKept <= limitBytes) break;
      kept.delete(oldest);
      bytesKept -= page.bytes;
    }
  }

  async function fetchPage(key: string, read: () => Promise<readonly LogEvent[]>): Promise<readonly LogEvent[]> {
    try {
      const events = await read();
      if (events.length === PAGE) keep(key, events);
      return events;
    } finally {
      reading.delete(key);
    }
  }

  return {
    get(key: string, read: () => Promise<readonly LogEvent[]>): Promise<readonly LogEvent[]> {
      const page = kept.get(key);
      if (page !== undefined) {
        kept.delete(key);
        kept.set(key, page);
        return Promise.resolve(page.events);
      }
      const present = reading.get(key);
      if (present !== undefined) return present;
      const promise = fetchPage(key, read);
      reading.set(key, promise);
      return promise;
    },
  };
}
