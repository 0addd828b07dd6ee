/** Pages of the event log, for the dashboard. */
import type { EventLog } from '@tidewire/change-log/event-log';
import type { LogEvent } from '@tidewire/change-log/log-event';
import { type ParameterParser, parseParameters, wholeNumber } from '@tidewire/collections/query-parameters';
import { encodeAdminEvent } from '@tidewire/delivery/stream-view';
import { Problem } from '@tidewire/protocol/problem';

const eventId = wholeNumber(0, 0, Number.MAX_SAFE_INTEGER);
const parameters = {
  since: { ...eventId, fallback: null } as ParameterParser<number | null>,
  before: { ...eventId, fallback: null } as ParameterParser<number | null>,
  max: wholeNumber(100, 1, 1_000),
};
/** A page is handed over early rather than becoming larger. */
const PAGE_LIMIT_CHARS = 16 * 1024 * 1024;

/**
 * The JSON text of `{data: [AdminEvent], head, oldest}`, ascending: the first `max` events after `since` (0 when neither is given), or the last `max` before `before`. When `since` is
 * below `oldest - 1`, what lies between is gone. Throws `bad_request`.
 */
export async function listEvents(log: EventLog, databaseId: number, query: string): Promise<string> {
  const { since, before, max } = parseParameters(query, parameters);
  if (since !== null && before !== null) throw new Problem('bad_request', 'Give since or before, not both.');
  const events =
    before === null ? await log.readAfter(databaseId, since ?? 0, max) : await log.readBefore(databaseId, before, max);
  // Read last: what it says of the oldest event held for the whole of what was read before.
  const [row] = await log.heads([databaseId]);
  const { head, oldest } = row ?? { head: 0, oldest: 1 };
  const kept = events.filter(({ id }) => id >= oldest);
  const data = (before === null ? fromStart(kept) : fromEnd(kept)).join();
  return `{"data":[${data}],"head":${head},"oldest":${oldest}}`;
}

function fromStart(events: readonly LogEvent[]): string[] {
  const texts: string[] = [];
  let size = 0;
  for (const event of events) {
    const text = encodeAdminEvent(event);
    size += text.length;
    if (texts.length > 0 && size > PAGE_LIMIT_CHARS) break;
    texts.push(text);
  }
  return texts;
}

function fromEnd(events: readonly LogEvent[]): string[] {
  return fromStart(events.toReversed()).reverse();
}
