/** Puts the services together: the only file in which they meet. */
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { createAccessGate } from '@tidewire/access/access-gate';
import { createAdminAccount } from '@tidewire/access/admin-account';
import { createAdminGate } from '@tidewire/access/admin-gate';
import { createAdminSessions } from '@tidewire/access/admin-sessions';
import { type Admins, createAdmins } from '@tidewire/access/admins';
import { createKeyAuthenticator } from '@tidewire/access/authenticate-key';
import { problemOfDatabaseFailure } from '@tidewire/access/database-problem';
import { createDatabaseRemoval } from '@tidewire/access/database-removal';
import { createLastUseRecorder } from '@tidewire/access/last-use';
import { createLoginThrottle } from '@tidewire/access/login-throttle';
import { createMemoryRateCounter } from '@tidewire/access/memory-rate-counter';
import type { RateCounter } from '@tidewire/access/rate-counter';
import { createRedisRateCounter } from '@tidewire/access/redis-rate-counter';
import { createRequestLimits } from '@tidewire/access/request-limits';
import { createSealedSecrets } from '@tidewire/access/sealed-secrets';
import { createSetupToken, type SetupToken } from '@tidewire/access/setup-token';
import { createStreamCountReporter } from '@tidewire/access/stream-counts';
import { createStreamTickets } from '@tidewire/access/stream-tickets';
import { createApi } from '@tidewire/api/app';
import { createChannelLog } from '@tidewire/change-log/channel-log';
import { followDatabases } from '@tidewire/change-log/follow-databases';
import { createLogRetention } from '@tidewire/change-log/log-retention';
import { sweepAnswers } from '@tidewire/change-log/sweep-answers';
import { createCollectionLife } from '@tidewire/collections/collection-life';
import { createCollections } from '@tidewire/collections/collections';
import { createIndexBuilder } from '@tidewire/collections/indexes/index-builder';
import { createLiveSources } from '@tidewire/collections/live-sources';
import type { DurabilityRisk } from '@tidewire/db/durability';
import { createHub } from '@tidewire/delivery/hub';
import { createOpenStreams, type OpenStreamLimits } from '@tidewire/delivery/open-streams';
import { createRealtime } from '@tidewire/realtime/app';
import { createHealthRoutes } from '@tidewire/server-kit/health';
import { createHttpApp } from '@tidewire/server-kit/http-app';
import type { Lifecycle } from '@tidewire/server-kit/lifecycle';
import type { Logger } from '@tidewire/server-kit/logger';
import { createStaticFiles } from '@tidewire/server-kit/static-files';
import type { Role } from './config.js';
import type { Core } from './open-core.js';
import { openUsers } from './open-users.js';
import type { RealtimeProcessesStatus } from './realtime-processes/realtime-processes.js';

export type ServiceOptions = {
  core: Core;
  logger: Logger;
  lifecycle: Lifecycle;
  serverSecret: string;
  role: Role;
  trustProxy: number;
  /** Hosts of issuers of tokens that may be asked over http and at private addresses. None unless given. */
  trustedIssuerHosts?: readonly string[];
  durabilityRisks: readonly DurabilityRisk[];
  /** Bounds of the streams of this process, and how old one may become (0: without end). Without bounds unless given. */
  streamLimits?: OpenStreamLimits & { maxAgeSeconds: number };
  /** Where requests are counted (in memory without a Redis), and how many without a good key an address has in a minute. Without bounds for addresses unless given. */
  requestBounds?: { redisUrl: string | null; attemptsPerAddress: number };
  /** Whether housekeeping is done here; false in the children of a server. Default true, where the role says so. */
  keepsHouse?: boolean;
  /** The children that carry the streams of this server, if it has any. */
  realtimeProcesses?: () => RealtimeProcessesStatus;
};

export type Services = {
  app: ReturnType<typeof createHttpApp>;
  admins: Admins;
  setupToken: SetupToken;
  /** Ends every open stream within this time. */
  endStreams(withinMs: number): Promise<void>;
  /** Open streams of this process. */
  streams(): number;
};

const unbounded = { perKey: 0, perAddress: 0, total: 0, maxAgeSeconds: 0 };
const sweepIntervalMs = 60 * 60_000;

/** API, realtime and dashboard over one core, as one Express app. What runs beside requests is deferred to the lifecycle. */
export function composeServices(options: ServiceOptions): Services {
  const { core, logger, lifecycle, serverSecret, role, trustProxy } = options;
  const { prisma, pool, catalog, bus, log, client } = core;
  const now = Date.now;
  const onError = (error: unknown) =>
    logger.warn({ err: error }, 'A task beside the requests failed; it is tried again.');

  const lastUse = createLastUseRecorder({ pool, now, onError });
  lastUse.start();
  lifecycle.defer('last uses of keys', () => lastUse.close());
  const keys = createKeyAuthenticator({ catalog, now, onUse: (keyId) => lastUse.touch(keyId) });
  const { redisUrl, attemptsPerAddress } = options.requestBounds ?? { redisUrl: null, attemptsPerAddress: 0 };
  const counter = openRateCounter(redisUrl, logger);
  lifecycle.defer('numbers of requests', () => counter.close());
  const limits = createRequestLimits({ counter, attemptsPerAddress, now });
  const trustedHosts = options.trustedIssuerHosts ?? [];
  const users = openUsers(core, { serverSecret, trustedHosts, onError, keys, passwords: core.passwords });
  lifecycle.defer('directory of users', () => users.close());
  const accessGate = createAccessGate(users.authenticator, limits);

  const throttle = createLoginThrottle({ pool, now });
  const sessions = createAdminSessions({ prisma, serverSecret, now });
  if ((role === 'all' || role === 'worker') && (options.keepsHouse ?? true)) {
    const sweep = setInterval(
      () =>
        void Promise.all([
          sessions.sweep(),
          throttle.sweep(),
          core.audit.sweep(),
          sweepAnswers(pool, now()),
          users.sweep(),
        ]).catch(onError),
      sweepIntervalMs,
    ).unref();
    lifecycle.defer(
      'sweep of sessions, sign-in counts, accounts without a document, idempotency keys and the audit log',
      () => clearInterval(sweep),
    );
    const { maintenancePool, retentionPool, notify } = core;
    const builder = createIndexBuilder({ pool, maintenancePool, notify, onError });
    lifecycle.defer('building of indexes', () => builder.close());
    const retention = createLogRetention({ pool: retentionPool, onError });
    lifecycle.defer('retention of event logs', () => retention.close());
    const removal = createDatabaseRemoval({ pool: retentionPool, onError });
    lifecycle.defer('removal of deleted databases', () => removal.close());
  }
  const setupToken = createSetupToken(serverSecret);
  const accountDeps = {
    prisma,
    sessions,
    throttle,
    passwords: core.passwords,
    secrets: createSealedSecrets(serverSecret),
    now,
  };
  const admins = createAdmins({ ...accountDeps, setupToken });
  const account = createAdminAccount(accountDeps);
  const adminGate = createAdminGate({ sessions, serverSecret });

  const { maxAgeSeconds, ...openStreamLimits } = options.streamLimits ?? unbounded;
  const hub = createHub({ log, bus, catalog, onError, limits: { maxAgeSeconds } });
  users.directory.onChange(hub.noteUser);
  const places = createOpenStreams(openStreamLimits);
  const streamCounts = createStreamCountReporter({ pool, openStreams: () => places.byKey, onError });
  streamCounts.start();
  lifecycle.defer('numbers of open streams', () => streamCounts.close());
  const stopFollowing = followDatabases({
    log,
    catalog,
    bus,
    databases: () => hub.databases(),
    onHead(head) {
      users.noteHead(head);
      hub.noteHead(head);
    },
    onError,
  });
  lifecycle.defer('look at the databases', stopFollowing);

  const realtime = createRealtime({
    hub,
    catalog,
    keys: users.authenticator,
    accessGate,
    adminGate,
    sessions,
    tickets: createStreamTickets({ pool, catalog, directory: users.directory, now }),
    directory: users.directory,
    limits,
    bus,
    channelLog: createChannelLog(pool),
    places,
    events: client.event,
    liveSources: createLiveSources({ pool, catalog }),
    adminReads: { ...core, userAccounts: users.accounts },
    onError,
  });
  const api = createApi({
    accessGate,
    userAccounts: users.accounts,
    authSecrets: users.secrets,
    directory: users.directory,
    jwtMaker: users.jwtMaker,
    adminGate,
    catalog,
    log,
    admins,
    account,
    people: core.people,
    sessions,
    audit: core.audit,
    databases: core.databases,
    settings: core.settings,
    apiKeys: core.apiKeys,
    roles: core.roles,
    pool,
    hub,
    places,
    documents: client.document,
    collectionLife: createCollectionLife({ pool, documents: client.document, collections: client.collection }),
    collectionIndexes: core.collectionIndexes,
    collectionSchemas: core.collectionSchemas,
    collections: createCollections({ pool, documents: client.document }),
  });
  const app = createHttpApp({
    handlers: [
      createHealthRoutes({ checks: readyChecks(options), facts: healthFacts(options) }),
      ...(role === 'all' || role === 'realtime' ? [realtime.router] : []),
      ...(role === 'all' || role === 'api' ? [api, ...dashboard(logger)] : []),
    ],
    trustProxy,
    log: logger,
    translate: problemOfDatabaseFailure,
  });
  return {
    app,
    admins,
    setupToken,
    async endStreams(withinMs) {
      realtime.close();
      await hub.drain(withinMs);
    },
    streams: () => hub.stats().streams,
  };
}

function openRateCounter(url: string | null, logger: Logger): RateCounter {
  const now = Date.now;
  if (url === null) return createMemoryRateCounter({ now });
  const onError = (error: unknown) =>
    logger.warn({ err: error }, 'Redis does not count requests; each process counts for itself until it does.');
  return createRedisRateCounter({ url, now, onError });
}

function healthFacts({ realtimeProcesses }: ServiceOptions): () => object {
  return () => (realtimeProcesses === undefined ? {} : { realtimeProcesses: realtimeProcesses() });
}

/** A Postgres that could lose acknowledged writes is said, and serves all the same: that is its owner's choice. */
function readyChecks({ core, lifecycle, durabilityRisks }: ServiceOptions) {
  return [
    {
      name: 'postgres',
      async check() {
        await core.pool.query('SELECT 1');
        return { ok: true };
      },
    },
    {
      name: 'running',
      check: async () => (lifecycle.isStopping ? { ok: false, detail: 'the server is stopping' } : { ok: true }),
    },
    {
      name: 'durability',
      check: async () =>
        durabilityRisks.length === 0
          ? { ok: true }
          : { ok: true, detail: durabilityRisks.map(({ risk }) => risk).join(' ') },
    },
  ];
}

function dashboard(logger: Logger) {
  const folder = join(dirname(createRequire(import.meta.url).resolve('@tidewire/dashboard/package.json')), 'dist');
  if (existsSync(join(folder, 'index.html'))) return [createStaticFiles({ folder })];
  logger.warn({ folder }, 'The dashboard is not built; run npm run build. The API works without it.');
  return [];
}
