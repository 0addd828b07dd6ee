/** `/realtime`: restdb.io's typed stream, publishing, and the tickets of streams. */

import type { AccessGate } from '@tidewire/access/access-gate';
import { isRealtimeOn } from '@tidewire/access/admission';
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
  accessGate: AccessGate;
  publish: PublishEvent;
  tickets: StreamTickets;
};

export function createTypedStreamRoutes({ doors, accessGate, publish, tickets }: TypedStreamRoutesDeps): Router {
  const router = Router({ caseSensitive: true });

  router
    .route('/realtime')
    .get(
      doors.forApplications(({ database, rights, principal }, request, response) => {
        if (!isRealtimeOn(database, rights)) throw realtimeOff();
        const stream = { view: restdbView, listener: principal, databaseId: database.id, filter: filterOf(request) };
        return doors.events(request, response, stream);
      }),
    )
    .post(
      accessGate(async (access, request, response) => {
        admitOrigin(access.rights, request, response);
        await publish(access, parsePublish(await readJsonBody(request)), request, response);
      }),
    )
    .all(methodNotAllowed('GET, POST'));

  router
    .route('/realtime/ticket')
    .post(
      accessGate(async ({ database, rights, principal }, request, response) => {
        admitOrigin(rights, request, response);
        if (!isRealtimeOn(database, rights)) throw realtimeOff();
        sendJson(response, 201, JSON.stringify(await tickets.issue(principal)));
      }),
    )
    .all(methodNotAllowed('POST'));
  return router;
}
