/** `GET /events`: the event log for applications, page by page; what `/realtime` is for those who cannot hold a stream. */
import { isRealtimeOn } from '@tidewire/access/admission';
import { keyProblem } from '@tidewire/access/authenticate-key';
import { keyParameters } from '@tidewire/access/key-credentials';
import type { KeyGate } from '@tidewire/access/key-gate';
import type { EventLog } from '@tidewire/change-log/event-log';
import type { LogEvent } from '@tidewire/change-log/log-event';
import { type ParameterParser, parseParameters, wholeNumber } from '@tidewire/collections/query-parameters';
import type { Catalog } from '@tidewire/db/catalog';
import { type Audience, audienceOf } from '@tidewire/delivery/audience';
import { startFrom } from '@tidewire/delivery/cursor';
import { restdbData } from '@tidewire/delivery/stream-view';
import { Problem } from '@tidewire/protocol/problem';
import { admitOrigin } from '@tidewire/server-kit/cors';
import { methodNotAllowed } from '@tidewire/server-kit/problem-handler';
import { sendJson } from '@tidewire/server-kit/send-json';
import { Router } from 'express';
import { queryOf } from '../parse-input.js';
import { preflight, readableRefusal } from './browser-access.js';

export type EventRoutesDeps = { keyGate: KeyGate; catalog: Catalog; log: EventLog };

const parameters = {
  since: { ...wholeNumber(0, 0, Number.MAX_SAFE_INTEGER), fallback: null } as ParameterParser<number | null>,
  max: wholeNumber(100, 1, 1_000),
};

/** To be mounted at `/events`. */
export function createEventRoutes({ keyGate, catalog, log }: EventRoutesDeps): Router {
  const router = Router({ caseSensitive: true });

  /** What the key may hear by the newest snapshot; asked after the log was read, as streams ask when bytes are made. */
  async function audienceNow(databaseId: number, keyId: string): Promise<Audience> {
    const database = await catalog.byId(databaseId);
    const verdict = database && audienceOf({ kind: 'key', keyId }, database);
    if (verdict?.status !== 'open') throw keyProblem({ status: 'revoked' });
    return verdict.audience;
  }

  /** The head is read last: what it says of the oldest event held for the whole of what was read before. */
  async function readPage(databaseId: number, since: number | null, max: number) {
    const events = since === null ? [] : await log.readAfter(databaseId, since, max);
    const [row] = await log.heads([databaseId]);
    const { head, oldest } = row ?? { head: 0, oldest: 1 };
    return { events, head, oldest, start: startFrom(since, { head, oldest }) };
  }

  router.use(preflight);
  router
    .route('/')
    .get(
      keyGate(async ({ database, key }, request, response) => {
        admitOrigin(key, request, response);
        const { since, max } = parseParameters(queryOf(request), parameters, keyParameters);
        if (!isRealtimeOn(database, key)) throw realtimeOff();
        const { events, head, oldest, start } = await readPage(database.id, since, max);
        if (start.kind === 'reset') {
          const reset = { reason: start.reason, oldest, newest: head };
          return sendJson(response, 200, JSON.stringify({ reset }));
        }
        const audience = await audienceNow(database.id, key.id);
        const data = events.filter((event) => audience.mayHear(event)).map(encodePolled);
        const next = events.at(-1)?.id ?? start.cursor;
        sendJson(response, 200, `{"data":[${data.join()}],"next":${next},"head":${head},"oldest":${oldest}}`);
      }),
    )
    .all(methodNotAllowed('GET'));
  router.use(readableRefusal);
  return router;
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
