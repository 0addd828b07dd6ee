/** The API service over real HTTP and a real Postgres, for tests. */
import { once } from 'node:events';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createAccessGate } from '@tidewire/access/access-gate';
import { createAdminAccount } from '@tidewire/access/admin-account';
import { createAdminGate } from '@tidewire/access/admin-gate';
import { type AdminPeople, createAdminPeople } from '@tidewire/access/admin-people';
import { type AdminSessions, createAdminSessions } from '@tidewire/access/admin-sessions';
import { createAdmins } from '@tidewire/access/admins';
import { type ApiKeys, createApiKeys } from '@tidewire/access/api-keys';
import { createAuditLog } from '@tidewire/access/audit-log';
import { createKeyAuthenticator } from '@tidewire/access/authenticate-key';
import { problemOfDatabaseFailure } from '@tidewire/access/database-problem';
import { createDatabases } from '@tidewire/access/databases';
import { createLoginThrottle } from '@tidewire/access/login-throttle';
import { createPasswords } from '@tidewire/access/passwords';
import type { RequestLimits } from '@tidewire/access/request-limits';
import { createRoles, type Roles } from '@tidewire/access/roles';
import { createSealedSecrets } from '@tidewire/access/sealed-secrets';
import { createSettings, type Settings } from '@tidewire/access/settings';
import { createSetupToken } from '@tidewire/access/setup-token';
import { usersCollection } from '@tidewire/access/user-document';
import { createUsers, type Users } from '@tidewire/access/users';
import { captureWrites } from '@tidewire/change-log/capture-extension';
import { createCommitLanes } from '@tidewire/change-log/commit-lanes';
import { createEventLog, type LogHead } from '@tidewire/change-log/event-log';
import { followDatabases } from '@tidewire/change-log/follow-databases';
import { createMemoryChangeBus } from '@tidewire/change-log/memory-change-bus';
import { createUserDocuments } from '@tidewire/change-log/user-documents';
import { createCollectionLife } from '@tidewire/collections/collection-life';
import { createCollections } from '@tidewire/collections/collections';
import { createCollectionIndexes } from '@tidewire/collections/indexes/collection-indexes';
import { createIndexesOf } from '@tidewire/collections/indexes/declared-indexes';
import { createCollectionSchemas } from '@tidewire/collections/schema/collection-schemas';
import { createShapeOf } from '@tidewire/collections/schema/shape-of';
import { createCatalog } from '@tidewire/db/catalog';
import { connectPostgres, type PostgresConnections } from '@tidewire/db/client';
import type { PostgresAddress } from '@tidewire/db/sql-pool';
import { createHub } from '@tidewire/delivery/hub';
import { createOpenStreams } from '@tidewire/delivery/open-streams';
import { createUsersFeed } from '@tidewire/delivery/users-feed';
import { createHealthRoutes } from '@tidewire/server-kit/health';
import { createHttpApp } from '@tidewire/server-kit/http-app';
import { createApi } from './app.js';

export type TestApi = {
  /** Without a slash at the end. */
  url: string;
  port: number;
  databaseId: number;
  connections: PostgresConnections;
  apiKeys: ApiKeys;
  roles: Roles;
  settings: Settings;
  users: Users;
  sessions: AdminSessions;
  people: AdminPeople;
  setupToken: string;
  /** Requests that wait for events. */
  waiting(): number;
  /** What was logged as an accident; a test of good or bad input expects none. */
  accidents: { fields: Record<string, unknown>; message: string }[];
  /** Makes a key and gives its text. */
  createKey(grants?: {
    rest?: string[];
    listen?: string[];
    publish?: string[];
    origins?: string[];
  }): Promise<{ id: string; key: string }>;
  close(): Promise<void>;
};

export type TestApiOptions = {
  now?: () => number;
  /** Bounds of requests; none unless given. */
  limits?: RequestLimits;
  /** Express's `trust proxy`; nobody unless given. */
  trustProxy?: number | boolean;
  /** Hosts of issuers that may be asked over http; none unless given. */
  trustedHosts?: readonly string[];
};

const serverSecret = 'a secret for tests only, of some length';

/** Listens on a free port of 127.0.0.1, with the database `default`. */
export async function startTestApi(address: PostgresAddress, options: TestApiOptions = {}): Promise<TestApi> {
  const now = options.now ?? Date.now;
  const accidents: TestApi['accidents'] = [];
  const connections = connectPostgres(address, { onConnectionError: () => undefined });
  const { prisma, pool, lanePool } = connections;
  const catalog = createCatalog(pool);
  const bus = createMemoryChangeBus({
    onError: (error) => void accidents.push({ fields: { error }, message: 'bus listener' }),
  });
  const lanes = createCommitLanes({ pool: lanePool, catalog, bus, shapeOf: createShapeOf(), onRetry: () => undefined });
  const capturing = captureWrites(prisma, lanes.submit);
  const notify = (databaseId: number, configVersion: number) =>
    bus.publish({ kind: 'config', databaseId, configVersion });
  const databases = createDatabases({ prisma, pool, catalog, notify });
  const { id: databaseId } = await databases.ensure('default');
  const sessions = createAdminSessions({ prisma, serverSecret, now });
  const setupToken = createSetupToken(serverSecret);
  const passwords = createPasswords();
  const account = {
    prisma,
    sessions,
    throttle: createLoginThrottle({ pool, now }),
    passwords,
    secrets: createSealedSecrets(serverSecret),
    now,
  };
  const people = createAdminPeople({ prisma, passwords, now });
  const apiKeys = createApiKeys({ prisma, pool, catalog, notify, now });
  const roles = createRoles({ prisma, catalog, notify });
  const settings = createSettings({ prisma, catalog, notify });
  const eventLog = createEventLog(pool);
  // Errors of the look once a second are no accidents here: some tests take Postgres away.
  const onError = () => undefined;
  const feed = createUsersFeed({ log: eventLog, bus, onError });
  const hub = createHub({ log: eventLog, bus, catalog, onError });
  const onHead = (head: LogHead) => {
    feed.noteHead(head);
    hub.noteHead(head);
  };
  const follow = { log: eventLog, catalog, bus, databases: hub.databases, onHead, onError };
  const users = createUsers({
    prisma,
    pool,
    catalog,
    keys: createKeyAuthenticator({ catalog, now }),
    feed,
    documents: createUserDocuments(capturing.document, usersCollection),
    passwords,
    indexesOf: createIndexesOf(catalog),
    serverSecret,
    notify,
    trustedHosts: options.trustedHosts ?? [],
    onError,
    now,
  });
  users.directory.onChange(hub.noteUser);
  const stopFollowing = followDatabases(follow);
  const places = createOpenStreams({ perKey: 0, perAddress: 0, total: 0 });
  const api = createApi({
    accessGate: createAccessGate(users.authenticator, options.limits),
    userAccounts: users.accounts,
    authSecrets: users.secrets,
    directory: users.directory,
    jwtMaker: users.jwtMaker,
    adminGate: createAdminGate({ sessions, serverSecret }),
    admins: createAdmins({ ...account, setupToken }),
    account: createAdminAccount(account),
    people,
    sessions,
    audit: createAuditLog({ pool }),
    pool,
    documents: capturing.document,
    collectionLife: createCollectionLife({ pool, documents: capturing.document, collections: capturing.collection }),
    collectionIndexes: createCollectionIndexes({ pool, catalog, notify }),
    collectionSchemas: createCollectionSchemas({ pool, catalog, notify }),
    collections: createCollections({ pool, documents: capturing.document }),
    log: eventLog,
    hub,
    places,
    catalog,
    databases,
    settings,
    apiKeys,
    roles,
  });
  const log = { error: (fields: Record<string, unknown>, message: string) => void accidents.push({ fields, message }) };
  const server: Server = createHttpApp({
    handlers: [
      createHealthRoutes({
        checks: [{ name: 'postgres', check: async () => ({ ok: (await pool.query('SELECT 1')).rowCount === 1 }) }],
      }),
      api,
    ],
    log,
    trustProxy: options.trustProxy ?? false,
    translate: problemOfDatabaseFailure,
  }).listen(0, '127.0.0.1');
  // Longer than any pause in a test: a connection that the server ends just as a client uses it again looks like a broken answer.
  server.keepAliveTimeout = 60_000;
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;

  return {
    url: `http://127.0.0.1:${port}`,
    port,
    databaseId,
    connections,
    apiKeys,
    roles,
    settings,
    users,
    sessions,
    people,
    waiting: () => places.count,
    setupToken: setupToken.text,
    accidents,
    async createKey(grants = {}) {
      const { id, key } = await apiKeys.create(databaseId, {
        name: 'test',
        rest: [],
        listen: [],
        publish: [],
        origins: [],
        ...grants,
      });
      return { id, key };
    },
    async close() {
      await hub.drain(0);
      stopFollowing();
      users.close();
      feed.close();
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
      await lanes.idle();
      await bus.close();
      await connections.close();
    },
  };
}
