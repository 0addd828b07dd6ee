/** `/realtime`: restdb.io's typed stream, publishing, and the tickets of streams. */
import { isRealtimeOn } from '@tidewire/access/admission';
import type { KeyGate } from '@tidewire/access/key-gate';
import type { StreamTickets } from '@tidewire/access/stream-tickets';
import { restdbView } from '@tidewire/delivery/stream-view';
import { admitOrigin } from '@tidewire/server-kit/cors';
import { readJsonBody } from '@tidewire/server-kit/json-body';
import { methodNotAllowed } from '@tidewire/server-kit/problem-handler';
import { sendJson } from '@tidewire/server-kit/send-json';
import { Router } from 'express';
import { parsePublish } from '../parse-publish.js';
import type { PublishEvent } from '../publish-event.js';
import { filterOf, realtimeOff, type StreamDoors } from '../stream-doors.js';

export type TypedStreamRoutesDeps = {
  doors: StreamDoors;
  keyGate: KeyGate;
  publish: PublishEvent;
  tickets: StreamTickets;
};

export function createTypedStreamRoutes({ doors, keyGate, publish, tickets }: TypedStreamRoutesDeps): Router {
  const router = Router({ caseSensitive: true });

  router
    .route('/realtime')
    .get(
      doors.forKeys(({ database, key }, request, response) => {
        if (!isRealtimeOn(database, key)) throw realtimeOff();
        const listener = { kind: 'key', keyId: key.id } as const;
        const stream = { view: restdbView, listener, databaseId: database.id, filter: filterOf(request) };
        return doors.events(request, response, stream);
      }),
    )
    .post(
      keyGate(async (access, request, response) => {
        admitOrigin(access.key, request, response);
        await publish(access, parsePublish(await readJsonBody(request)), request, response);
      }),
    )
    .all(methodNotAllowed('GET, POST'));

  router
    .route('/realtime/ticket')
    .post(
      keyGate(async ({ database, key, principal }, request, response) => {
        admitOrigin(key, request, response);
        if (!isRealtimeOn(database, key)) throw realtimeOff();
        sendJson(response, 201, JSON.stringify(await tickets.issue(principal)));
      }),
    )
    .all(methodNotAllowed('POST'));
  return router;
}
