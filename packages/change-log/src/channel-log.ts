/** The recent messages of a channel: custom events of one name, and of the names below it (`chat` and `chat.typing`). */
import type { SqlPool } from '@tidewire/db/sql-pool';
import { decodeEventRow, type EventRow, eventColumns } from './event-log.js';
import type { LogEvent } from './log-event.js';

export interface ChannelLog {
  /**
   * The newest `max` messages with `id < before`, in ascending order; fewer when their data outgrow 4 MiB, but at least one when there is one. It takes a look at each name below the
   * channel, and reads the messages of the newest ones alone.
   */
  recent(databaseId: number, channel: string, page: { before: number; max: number }): Promise<readonly LogEvent[]>;
}

/** Bytes of data after which no further message is taken. */
const PAGE_LIMIT_BYTES = 4 * 1024 * 1024;

/**
 * $1 database, $2 channel, $3 before, $4 max, $5 bytes. Ordered by id, descending; everything along events_channel_idx (database_id, name COLLATE "C", id), no locks. `names` jumps from
 * name to name; '/' comes right behind '.'. The newest $4 messages are among those of the $4 names whose newest message is the newest.
 */
const readRecent = {
  name: 'channel-log-recent',
  text: `WITH RECURSIVE names AS (
      (SELECT name COLLATE "C" AS name FROM events
        WHERE database_id = $1 AND type = 'publish' AND name COLLATE "C" >= $2::text || '.' AND name COLLATE "C" < $2::text || '/'
        ORDER BY name COLLATE "C" LIMIT 1)
      UNION ALL
      SELECT (SELECT e.name COLLATE "C" FROM events e
        WHERE e.database_id = $1 AND e.type = 'publish' AND e.name COLLATE "C" > n.name AND e.name COLLATE "C" < $2::text || '/'
        ORDER BY e.name COLLATE "C" LIMIT 1)
      FROM names n WHERE n.name IS NOT NULL
    ), newest AS (
      SELECT n.name, (SELECT e.id FROM events e
        WHERE e.database_id = $1 AND e.type = 'publish' AND e.name COLLATE "C" = n.name AND e.id < $3::bigint
        ORDER BY e.name COLLATE "C" DESC, e.id DESC LIMIT 1) AS id
      FROM (SELECT name FROM names WHERE name IS NOT NULL UNION ALL SELECT $2::text COLLATE "C") n
    ), chosen AS (SELECT name FROM newest WHERE id IS NOT NULL ORDER BY id DESC LIMIT $4),
    page AS (
      SELECT found.* FROM chosen CROSS JOIN LATERAL (SELECT e.* FROM events e
        WHERE e.database_id = $1 AND e.type = 'publish' AND e.name COLLATE "C" = chosen.name AND e.id < $3::bigint
        ORDER BY e.name COLLATE "C" DESC, e.id DESC LIMIT $4) found
      ORDER BY found.id DESC LIMIT $4
    ), sized AS (
      SELECT *, coalesce(sum(coalesce(octet_length(data::text), 0)) OVER (ORDER BY id DESC ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0) AS bytes_after
      FROM page
    )
    SELECT ${eventColumns} FROM sized WHERE bytes_after < $5 ORDER BY id DESC`,
};

export function createChannelLog(pool: SqlPool): ChannelLog {
  return {
    async recent(databaseId, channel, { before, max }) {
      const values = [databaseId, channel, before, max, PAGE_LIMIT_BYTES];
      const { rows } = await pool.query<EventRow>({ ...readRecent, values });
      return rows.reverse().map(decodeEventRow);
    },
  };
}
