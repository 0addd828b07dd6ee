/** `GET /realtime/events`: MUDBASE's stream of unnamed messages, for a key or for an admin's session. */
import type { AdminGate } from '@tidewire/access/admin-gate';
import { isOwnOrigin, isRealtimeOn } from '@tidewire/access/admission';
import { readKeyCredentials } from '@tidewire/access/key-credentials';
import { readSessionCookie } from '@tidewire/access/session-cookie';
import type { Catalog } from '@tidewire/db/catalog';
import { mudbaseView } from '@tidewire/delivery/stream-view';
import { databaseNamePattern } from '@tidewire/protocol/names';
import { Problem } from '@tidewire/protocol/problem';
import { methodNotAllowed } from '@tidewire/server-kit/problem-handler';
import { type Request, Router } from 'express';
import type { AdminStreams } from '../admin-streams.js';
import { filterOf, realtimeOff, refuseOtherTypes, type StreamDoors } from '../stream-doors.js';

export type MudbaseRoutesDeps = {
  doors: StreamDoors;
  adminGate: AdminGate;
  adminStreams: AdminStreams;
  catalog: Catalog;
};

export function createMudbaseRoutes({ doors, adminGate, adminStreams, catalog }: MudbaseRoutesDeps): Router {
  const router = Router({ caseSensitive: true });

  const forApplication = doors.forApplications(({ database, rights, principal }, request, response) => {
    if (!isRealtimeOn(database, rights)) throw realtimeOff();
    const stream = { view: mudbaseView, listener: principal, databaseId: database.id, filter: filterOf(request) };
    return doors.events(request, response, stream);
  });

  const forAdmin = adminGate(async (admin, request, response) => {
    refuseOtherTypes(request);
    const { origin, host } = request.headers;
    if (origin !== undefined && !isOwnOrigin(origin, host))
      throw new Problem('origin_refused', 'A session can only be used by pages of the dashboard itself.');
    const filter = filterOf(request);
    const name = String(request.query.database ?? 'default');
    const database = databaseNamePattern.test(name) ? await catalog.byName(name) : null;
    if (database === null) throw new Problem('not_found', 'There is no database with this name.');
    const entry = adminStreams.begin(admin.sessionId);
    try {
      const stream = { view: mudbaseView, listener: { kind: 'admin' }, databaseId: database.id, filter } as const;
      entry.handle = await doors.events(request, response, { ...stream, onClosed: entry.close });
    } finally {
      if (entry.handle === null) entry.close();
    }
  });

  router
    .route('/realtime/events')
    .get((request, response, next) => (hasSessionAlone(request) ? forAdmin : forApplication)(request, response, next))
    .all(methodNotAllowed('GET'));
  return router;
}

/** A key or a ticket says more than the cookie, which a browser sends by itself. */
function hasSessionAlone(request: Request): boolean {
  const hasKey = request.query.ticket !== undefined || readKeyCredentials(request).status !== 'none';
  return !hasKey && readSessionCookie(request.headers.cookie, request.secure) !== null;
}
