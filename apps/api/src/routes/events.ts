/** `GET /events`: the event log for applications, page by page, or as it grows; what `/realtime` is for those who cannot hold a stream. */

import type { AccessGate } from '@tidewire/access/access-gate';
import { isRealtimeOn } from '@tidewire/access/admission';
import { endedProblem } from '@tidewire/access/authenticate-key';
import { keyParameters } from '@tidewire/access/key-credentials';
import { addressGroup } from '@tidewire/access/login-throttle';
import { type ApplicationPrincipal, holderOf } from '@tidewire/access/principal';
import type { EventLog } from '@tidewire/change-log/event-log';
import { type LogEvent, sizeOf } from '@tidewire/change-log/log-event';
import { optional, parseParameters, texts, wholeNumber } from '@tidewire/collections/query-parameters';
import type { Catalog } from '@tidewire/db/catalog';
import { type Audience, audienceOf } from '@tidewire/delivery/audience';
import { startFrom } from '@tidewire/delivery/cursor';
import type { EventFilter } from '@tidewire/delivery/event-filter';
import type { Hub } from '@tidewire/delivery/hub';
import type { OpenStreams } from '@tidewire/delivery/open-streams';
import { parseEventFilter } from '@tidewire/delivery/parse-event-filter';
import { restdbData } from '@tidewire/delivery/stream-view';
import { Problem } from '@tidewire/protocol/problem';
import { preflight, readableRefusal } from '@tidewire/server-kit/browser-access';
import { admitOrigin } from '@tidewire/server-kit/cors';
import { methodNotAllowed } from '@tidewire/server-kit/problem-handler';
import { sendJson } from '@tidewire/server-kit/send-json';
import { type Request, type Response, Router } from 'express';
import { queryOf } from '../parse-input.js';
import { sendValue } from '../send-value.js';

export type EventRoutesDeps = {
  accessGate: AccessGate;
  catalog: Catalog;
  log: EventLog;
  hub: Pick<Hub, 'eventsAfter'>;
  /** Who waits takes the place of a stream. */
  places: OpenStreams;
};

const parameters = {
  since: optional(wholeNumber(0, 0, Number.MAX_SAFE_INTEGER)),
  /** Seconds. */
  wait: wholeNumber(0, 0, 30),
  max: wholeNumber(100, 1, 1_000),
  collections: texts,
  events: texts,
  q: texts,
};

/** Events that one request looks at while it waits; then it answers, so that nobody is kept busy by a log that is not for him. */
const MOST_CONSIDERED = 10_000;
/** Bytes after which a page takes no further event. */
const PAGE_LIMIT_BYTES = 16 * 1024 * 1024;

/** Who polls for what. */
type Poll = { databaseId: number; principal: ApplicationPrincipal; filter: EventFilter; max: number };
/** `next`: up to which everything was considered. */
type Found = { shown: LogEvent[]; next: number };

/** To be mounted at `/events`. */
export function createEventRoutes({ accessGate, catalog, log, hub, places }: EventRoutesDeps): Router {
  const router = Router({ caseSensitive: true });

  /** What the key may hear by the newest snapshot; asked after the log was read, as streams ask when bytes are made. */
  async function audienceNow({ databaseId, principal }: Poll): Promise<Audience> {
    const database = await catalog.byId(databaseId);
    const verdict = database && audienceOf(principal, database);
    if (verdict?.status !== 'open') throw endedProblem(principal, verdict?.event);
    return verdict.audience;
  }

  async function shownOf(poll: Poll, events: readonly LogEvent[]): Promise<LogEvent[]> {
    const audience = await audienceNow(poll);
    return events.flatMap((event) => {
      const seen = audience.see(event);
      return seen !== null && poll.filter.passes(seen) ? [seen] : [];
    });
  }

  /** The head is read last: what it says of the oldest event held for the whole of what was read before. */
  async function readPage(databaseId: number, since: number | null, max: number) {
    const events = since === null ? [] : await log.readAfter(databaseId, since, max);
    const [row] = await log.heads([databaseId]);
    const { head, oldest } = row ?? { head: 0, oldest: 1 };
    return { events, head, oldest, start: startFrom(since, { head, oldest }) };
  }

  /** Waits for events behind the cursor that are shown. Comes back with none when the signal aborts, or after many that are not shown. */
  async function awaitEvents(poll: Poll, cursor: number, signal: AbortSignal): Promise<Found> {
    let next = cursor;
    while (next - cursor < MOST_CONSIDERED) {
      const events = await hub.eventsAfter(poll.databaseId, next, signal);
      // Nothing in time; or a gap (retention), of which the next request is told.
      if (events === null || events[0]?.id !== next + 1) break;
      const page = takePage(events, poll.max);
      const shown = await shownOf(poll, page);
      next += page.length;
      if (shown.length > 0) return { shown, next };
    }
    return { shown: await shownOf(poll, []), next };
  }

  /** Waits until something comes, the time is over, the key is revoked, or the client leaves. Takes a place meanwhile. */
  async function waitWhileWanted(
    poll: Poll,
    cursor: number,
    { request, response, waitMs }: { request: Request; response: Response; waitMs: number },
  ): Promise<Found> {
    const place = places.take({ key: holderOf(poll.principal), address: addressGroup(request.ip ?? '') });
    if (place.status === 'full')
      throw new Problem('too_many_requests', 'Too many streams and polls are open. Try again later, or without wait.', {
        headers: { 'Retry-After': '5' },
      });
    const wanted = new AbortController();
    const stop = () => wanted.abort();
    const database = catalog.peek(poll.databaseId);
    const verdict = database && audienceOf(poll.principal, database);
    const goodForMs = verdict?.status === 'open' ? Math.max(0, verdict.until - Date.now()) : 0;
    const timer = setTimeout(stop, Math.min(waitMs, goodForMs));
    response.once('close', stop);
    const stopWatching = catalog.onChange((changed) => {
      if (changed.id !== poll.databaseId) return;
      if (audienceOf(poll.principal, changed).status === 'ended') stop();
    });
    try {
      return await awaitEvents(poll, cursor, wanted.signal);
    } finally {
      clearTimeout(timer);
      response.off('close', stop);
      stopWatching();
      place.release();
    }
  }

  router.use(preflight);
  router
    .route('/')
    .get(
      accessGate(async ({ database, rights, principal }, request, response) => {
        admitOrigin(rights, request, response);
        const { since, wait, max, ...terms } = parseParameters(queryOf(request), parameters, keyParameters);
        const poll: Poll = { databaseId: database.id, principal, filter: parseEventFilter(terms), max };
        if (!isRealtimeOn(database, rights)) throw realtimeOff();
        const { events, head, oldest, start } = await readPage(database.id, since, max);
        if (start.kind === 'reset') {
          const reset = { reason: start.reason, oldest, newest: head };
          return sendValue(response, 200, { reset });
        }
        let found: Found = { shown: await shownOf(poll, events), next: events.at(-1)?.id ?? start.cursor };
        if (wait > 0 && found.shown.length === 0 && request.method !== 'HEAD')
          found = await waitWhileWanted(poll, found.next, { request, response, waitMs: wait * 1_000 });
        if (response.destroyed) return;
        const { shown, next } = found;
        const data = shown.map(encodePolled).join();
        sendJson(response, 200, `{"data":[${data}],"next":${next},"head":${Math.max(head, next)},"oldest":${oldest}}`);
      }),
    )
    .all(methodNotAllowed('GET'));
  router.use(readableRefusal);
  return router;
}

/** The first `max` events, fewer when they outgrow a page, at least one. */
function takePage(events: readonly LogEvent[], max: number): readonly LogEvent[] {
  let bytes = 0;
  let count = 0;
  for (const event of events) {
    if (count >= max || (count > 0 && bytes > PAGE_LIMIT_BYTES)) break;
    bytes += sizeOf(event);
    count += 1;
  }
  return events.slice(0, count);
}

/** As on the wire of `/realtime`, which names the collection of a change by itself, with id, type and time before it. */
function encodePolled(event: LogEvent): string {
  const { id, type, at } = event;
  const head = JSON.stringify(type === 'publish' ? { id, type, at, collection: null } : { id, type, at });
  return `${head.slice(0, -1)},${restdbData(event).slice(1)}`;
}

function realtimeOff(): Problem {
  return new Problem(
    'realtime_off',
    'Realtime is off for this key. Give it a channel such as POST:company in its listen list, or turn on realtime.global in the settings.',
  );
}
