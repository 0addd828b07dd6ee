/** The realtime service's routes: restdb.io's typed stream and publishing, and the admins' view of the log. */

import type { AdminGate } from '@tidewire/access/admin-gate';
import type { AdminSessions } from '@tidewire/access/admin-sessions';
import { isRealtimeOn, mayPublish } from '@tidewire/access/admission';
import { type KeyAuthenticator, keyProblem } from '@tidewire/access/authenticate-key';
import type { KeyGate } from '@tidewire/access/key-gate';
import { authorOf } from '@tidewire/access/principal';
import type { EventWrites } from '@tidewire/change-log/document-writes';
import type { Catalog } from '@tidewire/db/catalog';
import { kindOfFailure } from '@tidewire/db/postgres-errors';
import { audienceOf, type Listener } from '@tidewire/delivery/audience';
import { parseCursor } from '@tidewire/delivery/cursor';
import type { Hub, StreamHandle } from '@tidewire/delivery/hub';
import { openStream } from '@tidewire/delivery/stream-response';
import { adminView, restdbView, type StreamView } from '@tidewire/delivery/stream-view';
import { Problem } from '@tidewire/protocol/problem';
import { admitOrigin, answerPreflight, isPreflight } from '@tidewire/server-kit/cors';
import { readJsonBody } from '@tidewire/server-kit/json-body';
import { methodNotAllowed } from '@tidewire/server-kit/problem-handler';
import { sendJson } from '@tidewire/server-kit/send-json';
import { frameText } from '@tidewire/sse/chunk';
import { encodeBlock } from '@tidewire/sse/encode';
import { type Request, type Response, Router } from 'express';
import { watchSessions } from './admin-streams.js';
import { parsePublish } from './parse-publish.js';

export type RealtimeDeps = {
  hub: Hub;
  catalog: Catalog;
  keys: KeyAuthenticator;
  keyGate: KeyGate;
  adminGate: AdminGate;
  sessions: AdminSessions;
  /** `event` of the capturing Prisma client. */
  events: EventWrites;
  onError: (error: unknown) => void;
  random?: () => number;
};

export type Realtime = { router: Router; close(): void };

export function createRealtime(deps: RealtimeDeps): Realtime {
  const { hub, catalog, keys, keyGate, adminGate, sessions, events, onError } = deps;
  const random = deps.random ?? Math.random;
  const adminStreams = watchSessions({ sessions, onError });
  const router = Router();

  /** Hands the response over to the hub. Nothing of the request is kept. */
  async function stream(
    request: Request,
    response: Response,
    view: StreamView,
    listener: Listener,
    databaseId: number,
    onClosed: () => void = () => undefined,
  ): Promise<StreamHandle | null> {
    const database = await catalog.byId(databaseId);
    if (database === null) throw new Problem('not_found', 'The database does not exist.');
    const verdict = audienceOf(listener, database);
    if (verdict.status === 'ended') throw keyProblem({ status: 'revoked' });
    const cursor = cursorOf(request);
    if (request.method === 'HEAD') {
      response
        .writeHead(200, {
          'Content-Type': 'text/event-stream; charset=utf-8',
          'Cache-Control': 'no-cache, no-transform',
        })
        .end();
      return null;
    }
    const connection = openStream(request, response);
    if (connection === null) return null;
    const { sink, attach } = connection;
    try {
      const handle = await hub.subscribe({ databaseId, view, listener, audience: verdict.audience, sink, cursor });
      attach(handle.drained, () => {
        handle.closed();
        onClosed();
      });
      return handle;
    } catch (error) {
      onError(error);
      sink.write(frameText(encodeBlock({ retry: 1_000 + random() * 2_000 })));
      sink.end();
      return null;
    }
  }

  /**
   * An `EventSource` gives up for good on any status but 200 (WHATWG HTML, section 9.2.3), so while Postgres is away a stream is
   * answered with 200, a time to come back at, and its end.
   */
  function comeBackLater(response: Response): void {
    response.writeHead(200, {
      'Content-Type': 'text/event-stream; charset=utf-8',
      'Cache-Control': 'no-cache, no-transform',
    });
    response.end(encodeBlock({ retry: 1_000 + random() * 2_000 }));
  }

  router.options('/realtime', (request, response, next) => {
    if (isPreflight(request)) answerPreflight(response);
    else next();
  });

  router.get('/realtime', async (request, response) => {
    refuseOtherTypes(request);
    try {
      const outcome = await keys.authenticate(request);
      if (outcome.status !== 'verified') throw keyProblem(outcome);
      admitOrigin(outcome.key, request, response);
      if (!isRealtimeOn(outcome.database, outcome.key)) throw realtimeOff();
      const listener: Listener = { kind: 'key', keyId: outcome.key.id };
      await stream(request, response, restdbView, listener, outcome.database.id);
    } catch (error) {
      if (response.headersSent || kindOfFailure(error) !== 'lost') throw error;
      onError(error);
      comeBackLater(response);
    }
  });

  router.post(
    '/realtime',
    keyGate(async (access, request, response) => {
      admitOrigin(access.key, request, response);
      const { event, data } = parsePublish(await readJsonBody(request));
      if (!mayPublish(access.database, access.key, event)) {
        throw new Problem('forbidden', `The key may not publish ${event}. Give it ${event} in its publish list.`);
      }
      const scope = { databaseId: access.database.id, author: authorOf(access.principal) };
      const outcome = await events.create({ scope, name: event, data });
      const id = outcome.status === 'written' ? outcome.eventId : null;
      sendJson(response, 200, '{"message":"OK"}', id === null ? [] : ['X-Event-Id', String(id)]);
    }),
  );
  router.all('/realtime', methodNotAllowed('GET, POST'));

  router.get(
    '/api/databases/:database/events/stream',
    adminGate(async (admin, request, response) => {
      refuseOtherTypes(request);
      const database = await catalog.byName(String(request.params.database));
      if (database === null) throw new Problem('not_found', 'There is no such database.');
      const entry = adminStreams.begin(admin.sessionId);
      entry.handle = await stream(request, response, adminView, { kind: 'admin' }, database.id, entry.close);
    }),
  );
  router.all('/api/databases/:database/events/stream', methodNotAllowed('GET'));

  return { router, close: adminStreams.close };
}

function realtimeOff(): Problem {
  return new Problem(
    'realtime_off',
    'Realtime is off for this key. Give it a channel such as POST:company in its listen list, or turn on realtime.global in the settings.',
  );
}

/** An `Accept` header that has neither the stream's type nor a wildcard for it cannot be served. */
function refuseOtherTypes(request: Request): void {
  const { accept } = request.headers;
  if (accept === undefined || /text\/event-stream|text\/\*|\*\/\*/i.test(accept)) return;
  throw new Problem('not_acceptable', 'This is a stream of server-sent events. Accept text/event-stream.');
}

/** The header stands above the query, which a reconnecting browser repeats unchanged. */
function cursorOf(request: Request): number | null {
  const header = request.headers['last-event-id'];
  if (typeof header === 'string' && header !== '') return parseCursor(header);
  for (const name of ['lastEventId', 'last_event_id', 'since']) {
    const value = request.query[name];
    if (value !== undefined) return parseCursor(typeof value === 'string' ? value : 'several');
  }
  return null;
}
