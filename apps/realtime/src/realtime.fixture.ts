/** Realtime services over real HTTP and a real Postgres, for tests: as many as wanted on one log. */
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { createAccessGate } from '@tidewire/access/access-gate';
import { createAdminGate } from '@tidewire/access/admin-gate';
import { createAdminPeople } from '@tidewire/access/admin-people';
import { createAdminSessions } from '@tidewire/access/admin-sessions';
import { type ApiKeys, createApiKeys } from '@tidewire/access/api-keys';
import { createAuditLog } from '@tidewire/access/audit-log';
import { createKeyAuthenticator } from '@tidewire/access/authenticate-key';
import { problemOfDatabaseFailure } from '@tidewire/access/database-problem';
import { createDatabases, type Databases } from '@tidewire/access/databases';
import { createPasswords } from '@tidewire/access/passwords';
import { noRequestLimits, type RequestLimits } from '@tidewire/access/request-limits';
import { createRoles, type Roles } from '@tidewire/access/roles';
import { createSettings, type Settings } from '@tidewire/access/settings';
import { createStreamTickets } from '@tidewire/access/stream-tickets';
import { usersCollection } from '@tidewire/access/user-document';
import { createUsers, type Users } from '@tidewire/access/users';
import { type CapturingClient, captureWrites } from '@tidewire/change-log/capture-extension';
import type { ChangeBus } from '@tidewire/change-log/change-bus';
import { createChannelLog } from '@tidewire/change-log/channel-log';
import { createCommitLanes } from '@tidewire/change-log/commit-lanes';
import { createEventLog, type LogHead } from '@tidewire/change-log/event-log';
import { followDatabases } from '@tidewire/change-log/follow-databases';
import { createMemoryChangeBus } from '@tidewire/change-log/memory-change-bus';
import { createUserDocuments } from '@tidewire/change-log/user-documents';
import { type Collections, createCollections } from '@tidewire/collections/collections';
import { type CollectionIndexes, createCollectionIndexes } from '@tidewire/collections/indexes/collection-indexes';
import { createIndexesOf } from '@tidewire/collections/indexes/declared-indexes';
import { createLiveSources, type LiveSources } from '@tidewire/collections/live-sources';
import { type CollectionSchemas, createCollectionSchemas } from '@tidewire/collections/schema/collection-schemas';
import { createShapeOf } from '@tidewire/collections/schema/shape-of';
import { type Catalog, createCatalog } from '@tidewire/db/catalog';
import { connectPostgres, type PostgresConnections } from '@tidewire/db/client';
import type { PostgresAddress } from '@tidewire/db/sql-pool';
import { createHub, type Hub } from '@tidewire/delivery/hub';
import { createOpenStreams, type OpenStreamLimits } from '@tidewire/delivery/open-streams';
import { createUsersFeed } from '@tidewire/delivery/users-feed';
import { createHttpApp } from '@tidewire/server-kit/http-app';
import { eventually } from '@tidewire/testing/eventually';
import { openSse, type SseProbe } from '@tidewire/testing/sse-probe';
import { createTestDatabase } from '@tidewire/testing/test-database';
import { afterAll, afterEach, beforeAll, expect } from 'vitest';
import { createRealtime } from './app.js';

export type TestNode = {
  url: string;
  port: number;
  databaseId: number;
  connections: PostgresConnections;
  client: CapturingClient;
  apiKeys: ApiKeys;
  roles: Roles;
  settings: Settings;
  catalog: Catalog;
  databases: Databases;
  /** What the routes of the collections API answer from. */
  collections: Collections;
  collectionIndexes: CollectionIndexes;
  collectionSchemas: CollectionSchemas;
  liveSources: LiveSources;
  users: Users;
  hub: Hub;
  /** What went wrong beside the requests. */
  errors: unknown[];
  createKey(grants: {
    rest?: string[];
    listen?: string[];
    publish?: string[];
    origins?: string[];
  }): Promise<{ id: string; key: string }>;
  /** The value of the session cookie of a new admin, and the way to end that session. */
  signIn(): Promise<{ cookie: string; end(): Promise<void> }>;
  close(): Promise<void>;
};

const serverSecret = 'a secret for tests only, of some length';

export type TestNodeOptions = {
  /** Its own bus in memory unless given: then only the look at the heads tells of what other nodes did. Whoever gives one closes it. */
  bus?: ChangeBus;
  /** Seconds; streams are not ended for their age unless given. */
  maxAgeSeconds?: number;
  /** No bounds unless given. */
  openStreams?: Partial<OpenStreamLimits>;
  /** None unless given. */
  limits?: RequestLimits;
  /** Proxies that are believed in `X-Forwarded-For`; none unless given. */
  trustProxy?: number;
  /** Hosts of issuers that may be asked over http; none unless given. */
  trustedHosts?: readonly string[];
};

/** Listens on a free port of 127.0.0.1, with the database `default`. */
export async function startTestNode(address: PostgresAddress, options: TestNodeOptions = {}): Promise<TestNode> {
  const errors: unknown[] = [];
  const onError = (error: unknown) => void errors.push(error);
  const connections = connectPostgres(address, { onConnectionError: onError });
  const { prisma, pool, lanePool } = connections;
  const catalog = createCatalog(pool);
  const bus = options.bus ?? createMemoryChangeBus({ onError });
  const lanes = createCommitLanes({ pool: lanePool, catalog, bus, shapeOf: createShapeOf(), onRetry: onError });
  const client = captureWrites(prisma, lanes.submit);
  const notify = (databaseId: number, configVersion: number) =>
    bus.publish({ kind: 'config', databaseId, configVersion });
  const databases = createDatabases({ prisma, pool, catalog, notify });
  const { id: databaseId } = await databases.ensure('default');
  const apiKeys = createApiKeys({ prisma, pool, catalog, notify, now: Date.now });
  const roles = createRoles({ prisma, catalog, notify });
  const settings = createSettings({ prisma, catalog, notify });
  const sessions = createAdminSessions({ prisma, serverSecret, now: Date.now });
  const log = createEventLog(pool);
  const feed = createUsersFeed({ log, bus, onError });
  const hub = createHub({ log, bus, catalog, onError, limits: { maxAgeSeconds: options.maxAgeSeconds ?? 0 } });
  const onHead = (head: LogHead) => {
    feed.noteHead(head);
    hub.noteHead(head);
  };
  const stopFollowing = followDatabases({ log, catalog, bus, databases: hub.databases, onHead, onError });
  const passwords = createPasswords();
  const users = createUsers({
    prisma,
    pool,
    catalog,
    keys: createKeyAuthenticator({ catalog, now: Date.now }),
    feed,
    documents: createUserDocuments(client.document, usersCollection),
    passwords,
    indexesOf: createIndexesOf(catalog),
    serverSecret,
    notify,
    trustedHosts: options.trustedHosts ?? [],
    onError,
    now: Date.now,
  });
  users.directory.onChange(hub.noteUser);
  const keys = users.authenticator;
  const limits = options.limits ?? noRequestLimits;
  const accessGate = createAccessGate(keys, limits);
  const adminGate = createAdminGate({ sessions, serverSecret });
  const collectionIndexes = createCollectionIndexes({ pool, catalog, notify });
  const collectionSchemas = createCollectionSchemas({ pool, catalog, notify });
  const liveSources = createLiveSources({ pool, catalog });
  const realtime = createRealtime({
    hub,
    catalog,
    keys,
    accessGate,
    adminGate,
    sessions,
    tickets: createStreamTickets({ pool, catalog, directory: users.directory, now: Date.now }),
    directory: users.directory,
    limits,
    bus,
    channelLog: createChannelLog(pool),
    places: createOpenStreams({ perKey: 0, perAddress: 0, total: 0, ...options.openStreams }),
    events: client.event,
    liveSources,
    adminReads: {
      databases,
      apiKeys,
      roles,
      collectionIndexes,
      collectionSchemas,
      people: createAdminPeople({ prisma, passwords, now: Date.now }),
      audit: createAuditLog({ pool }),
      userAccounts: users.accounts,
    },
    onError,
  });
  const app = createHttpApp({
    handlers: [realtime.router],
    trustProxy: options.trustProxy ?? false,
    log: { error: ({ err }) => onError(err) },
    translate: problemOfDatabaseFailure,
  });
  const server = app.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;

  return {
    url: `http://127.0.0.1:${port}`,
    port,
    databaseId,
    connections,
    client,
    apiKeys,
    roles,
    settings,
    catalog,
    databases,
    collections: createCollections({ pool, documents: client.document }),
    collectionIndexes,
    collectionSchemas,
    liveSources,
    users,
    hub,
    errors,
    async createKey({ rest = [], listen = [], publish = [], origins = [] }) {
      const { id, key } = await apiKeys.create(databaseId, { name: 'test', rest, listen, publish, origins });
      return { id, key };
    },
    async signIn() {
      const admin = await prisma.admin.create({ data: { email: `${Math.random()}@example.org`, passwordHash: '-' } });
      const { token } = await sessions.start(admin.id);
      return {
        cookie: `tidewire_session=${token}`,
        end: () => prisma.adminSession.deleteMany({ where: { adminId: admin.id } }).then(() => undefined),
      };
    },
    async close() {
      realtime.close();
      await hub.drain(0);
      stopFollowing();
      users.close();
      feed.close();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      await lanes.idle();
      await connections.close();
    },
  };
}

/** Three nodes on one log for the tests of a file. Their buses do not know each other, so between nodes only the look at the heads tells. */
export type ThreeNodes = {
  /** Filled before the first test. */
  nodes: TestNode[];
  /** What is closed after the test. */
  probes: SseProbe[];
  /** A stream of the first node, or of the one that is given, among the probes. */
  open(path: string, options?: { on?: TestNode; headers?: Record<string, string> }): Promise<SseProbe>;
};

/** Registers the hooks of the file: nodes before all, no stream left after each, everything closed after all. */
export function useThreeNodes(): ThreeNodes {
  const nodes: TestNode[] = [];
  const probes: SseProbe[] = [];
  beforeAll(async () => {
    const { address } = await createTestDatabase();
    for (let count = 0; count < 3; count += 1) nodes.push(await startTestNode(address));
  });
  afterEach(async () => {
    for (const probe of probes.splice(0)) probe.close();
    await eventually(() => expect(nodes.map(({ hub }) => hub.stats().streams)).toEqual([0, 0, 0]));
  });
  afterAll(async () => {
    await Promise.all(nodes.map((one) => one.close()));
  });
  return {
    nodes,
    probes,
    async open(path, { on = nodes[0], headers = {} } = {}) {
      const probe = await openSse(`${on?.url}${path}`, { headers });
      probes.push(probe);
      return probe;
    },
  };
}

/** The id of a document that was written; throws when nothing was. */
export async function createDocument(node: TestNode, collection: string, data: Record<string, number> = {}) {
  const scope = { databaseId: node.databaseId, author: { actor: 'key:test', by: 'api' } };
  const outcome = await node.client.document.create({ scope, collection, data });
  const id = outcome.status === 'written' ? outcome.documents[0]?.id : undefined;
  if (id === undefined) throw new Error('nothing was written');
  return id;
}
