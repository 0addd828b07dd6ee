/** The realtime service: every stream, and publishing. One file under `routes/` for each family of routes. */

import type { AccessGate } from '@tidewire/access/access-gate';
import type { AdminGate } from '@tidewire/access/admin-gate';
import type { AdminSessions } from '@tidewire/access/admin-sessions';
import type { KeyAuthenticator } from '@tidewire/access/authenticate-key';
import type { RequestLimits } from '@tidewire/access/request-limits';
import type { StreamTickets } from '@tidewire/access/stream-tickets';
import type { ChangeBus } from '@tidewire/change-log/change-bus';
import type { ChannelLog } from '@tidewire/change-log/channel-log';
import type { EventWrites } from '@tidewire/change-log/document-writes';
import type { LiveSources } from '@tidewire/collections/live-sources';
import { preflight, readableRefusal } from '@tidewire/server-kit/browser-access';
import { Router } from 'express';
import { watchSessions } from './admin-streams.js';
import { createPublishEvent } from './publish-event.js';
import { type AdminReads, createAdminStreamRoutes } from './routes/admin-streams.js';
import { createChannelRoutes } from './routes/channels.js';
import { createMudbaseRoutes } from './routes/mudbase-events.js';
import { createQueryStreamRoutes } from './routes/query-streams.js';
import { createTypedStreamRoutes } from './routes/typed-stream.js';
import { createStreamDoors, type StreamDoorsDeps } from './stream-doors.js';
import { createStreamKeys } from './stream-keys.js';

export type RealtimeDeps = Omit<StreamDoorsDeps, 'streamKeys'> & {
  keys: KeyAuthenticator;
  tickets: StreamTickets;
  limits: RequestLimits;
  bus: ChangeBus;
  channelLog: ChannelLog;
  accessGate: AccessGate;
  adminGate: AdminGate;
  sessions: AdminSessions;
  /** `event` of the capturing Prisma client. */
  events: EventWrites;
  liveSources: LiveSources;
  /** What the admin API's lists are read from. */
  adminReads: AdminReads;
};

export type Realtime = { router: Router; close(): void };

export function createRealtime(deps: RealtimeDeps): Realtime {
  const { catalog, accessGate, adminGate, sessions, events, liveSources, adminReads, onError } = deps;
  const { keys, tickets, limits, bus, channelLog } = deps;
  const doors = createStreamDoors({ ...deps, streamKeys: createStreamKeys({ keys, tickets, limits }) });
  const publish = createPublishEvent({ events, bus, now: Date.now });
  const adminStreams = watchSessions({ sessions, onError });
  const router = Router();
  const forApplications = ['/realtime', '/channels'];
  router.use(forApplications, preflight);
  router.use(
    createTypedStreamRoutes({ doors, accessGate, publish, tickets }),
    createMudbaseRoutes({ doors, adminGate, adminStreams, catalog }),
    createChannelRoutes({ doors, accessGate, publish, channelLog }),
    createQueryStreamRoutes({ doors, liveSources }),
    createAdminStreamRoutes({ doors, adminGate, adminStreams, sessions, catalog, liveSources, adminReads }),
  );
  router.use(forApplications, readableRefusal);
  return { router, close: adminStreams.close };
}
