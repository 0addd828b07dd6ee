/** Streams for admins: the log, and what each list of the admin API answers, at its path with `/stream` behind it. They end with the session. */
import type { AdminGate } from '@tidewire/access/admin-gate';
import type { AdminPeople } from '@tidewire/access/admin-people';
import type { AdminSessions } from '@tidewire/access/admin-sessions';
import type { ApiKeys } from '@tidewire/access/api-keys';
import type { AuditLog } from '@tidewire/access/audit-log';
import type { Databases } from '@tidewire/access/databases';
import type { AdminPrincipal } from '@tidewire/access/principal';
import type { Roles } from '@tidewire/access/roles';
import type { UserAccounts } from '@tidewire/access/user-accounts';
import { usersCollection } from '@tidewire/access/user-document';
import { type CollectionDetailDeps, readCollectionDetail } from '@tidewire/collections/collection-detail';
import type { LiveSources, LiveTarget } from '@tidewire/collections/live-sources';
import { parseParameters, text } from '@tidewire/collections/query-parameters';
import { adminListDefaults, parseListRequest } from '@tidewire/collections/read-request';
import type { Catalog, CatalogDatabase } from '@tidewire/db/catalog';
import type { StreamHandle } from '@tidewire/delivery/hub';
import { type LiveForm, staysOpen, type ViewerVerdict } from '@tidewire/delivery/live-query';
import { adminView } from '@tidewire/delivery/stream-view';
import { collectionNamePattern, databaseNamePattern, defaultDatabaseName } from '@tidewire/protocol/names';
import { Problem } from '@tidewire/protocol/problem';
import { meansStream } from '@tidewire/protocol/stream-paths';
import type { LiveSource, RereadSource } from '@tidewire/query/live-source';
import { originOf } from '@tidewire/server-kit/origin';
import { methodNotAllowed } from '@tidewire/server-kit/problem-handler';
import { type Request, type RequestHandler, type Response, Router } from 'express';
import type { AdminStreams } from '../admin-streams.js';
import { ownParameters, parseLiveForm, queryOf, refuseStepsWithoutRows } from '../live-parameters.js';
import { cursorParameters, refuseOtherTypes, type StreamDoors } from '../stream-doors.js';

/** What the lists are read from: the same as the admin API's routes. */
export type AdminReads = CollectionDetailDeps & {
  databases: Pick<Databases, 'list' | 'get' | 'collections'>;
  apiKeys: Pick<ApiKeys, 'list'>;
  people: Pick<AdminPeople, 'list' | 'invites'>;
  audit: Pick<AuditLog, 'list'>;
  roles: Pick<Roles, 'list'>;
  userAccounts: Pick<UserAccounts, 'list'>;
};

export type AdminStreamRoutesDeps = {
  doors: StreamDoors;
  adminGate: AdminGate;
  adminStreams: AdminStreams;
  sessions: Pick<AdminSessions, 'list'>;
  catalog: Catalog;
  liveSources: LiveSources;
  adminReads: AdminReads;
};

/** Least time between two reads of a list. */
const PAUSE_MS = 1_000;
/** Entries that the audit log's stream shows: those of the first page. */
const AUDIT_ENTRIES = 100;
const auditParameters = { database: text, actor: text, action: text };
const wholeBodies: LiveForm = { isDelta: false, intervalMs: 0 };

/** What a list depends on: events of these collections, the configuration, and what no event tells of, every so many seconds. */
type Triggers = Pick<RereadSource, 'collections'> & { everySeconds?: number };
/** A list: its name, what it depends on, and how it is read, as the route without `/stream` answers. */
type List = Triggers & { name: string; read: () => Promise<unknown> };

export function createAdminStreamRoutes(deps: AdminStreamRoutesDeps): Router {
  const { doors, adminStreams, catalog, liveSources, adminReads, sessions } = deps;
  const adminGate: AdminGate = (work) => doors.orComeBack(deps.adminGate(work));
  const { databases, apiKeys, roles, userAccounts, collectionIndexes, people, audit } = adminReads;
  const router = Router({ caseSensitive: true });

  /** A stream that ends with the admin's session. */
  async function open(
    admin: AdminPrincipal,
    begin: (onClosed: () => void) => Promise<StreamHandle | null>,
  ): Promise<void> {
    const entry = adminStreams.begin(admin.sessionId);
    try {
      entry.handle = await begin(entry.close);
      if (entry.handle === null) entry.close();
    } catch (error) {
      entry.close();
      throw error;
    }
  }

  async function databaseOf(request: Request): Promise<CatalogDatabase> {
    const name = String(request.params.database);
    const database = databaseNamePattern.test(name) ? await catalog.byName(name) : null;
    if (database === null) throw new Problem('not_found', 'There is no database with this name.');
    return database;
  }

  function live(
    request: Request,
    response: Response,
    {
      verdict = staysOpen,
      ...asked
    }: { databaseId: number; source: LiveSource; form: LiveForm; verdict?: ViewerVerdict; onClosed: () => void },
  ) {
    return doors.live(request, response, { ...asked, onlooker: { verdict, user: null } });
  }

  /** The twin of a list of a database. */
  function twin(listOf: (database: CatalogDatabase, request: Request) => List): RequestHandler {
    return adminGate(async (admin, request, response) => {
      refuseOtherTypes(request);
      parseParameters(queryOf(request), {}, cursorParameters);
      const database = await databaseOf(request);
      const source = sourceOf(listOf(database, request), request.path);
      await open(admin, (onClosed) =>
        live(request, response, { databaseId: database.id, source, form: wholeBodies, onClosed }),
      );
    });
  }

  router
    .route('/api/databases/:database/events/stream')
    .get(
      adminGate(async (admin, request, response) => {
        refuseOtherTypes(request);
        const { id: databaseId } = await databaseOf(request);
        const stream = { view: adminView, listener: { kind: 'admin' }, databaseId } as const;
        await open(admin, (onClosed) => doors.events(request, response, { ...stream, onClosed }));
      }),
    )
    .all(methodNotAllowed('GET'));

  /** The twin of a list of the server, which no event tells of: it is read each second while somebody looks. */
  function serverTwin(
    listOf: (admin: AdminPrincipal, request: Request) => Pick<List, 'name' | 'read'> & { place?: string },
  ): RequestHandler {
    return adminGate(async (admin, request, response) => {
      refuseOtherTypes(request);
      const { place = '', ...list } = listOf(admin, request);
      const home = await catalog.byName(defaultDatabaseName);
      if (home === null) throw new Problem('not_found', 'There is no database.');
      const source = sourceOf({ ...list, collections: new Set<string>(), everySeconds: 1 }, request.path + place);
      await open(admin, (onClosed) =>
        live(request, response, { databaseId: home.id, source, form: wholeBodies, onClosed }),
      );
    });
  }
  const refuseParameters = (request: Request) => parseParameters(queryOf(request), {}, cursorParameters);

  router.get(
    '/api/databases/stream',
    orTheOneOfThisName,
    serverTwin((_admin, request) => {
      refuseParameters(request);
      return { name: 'databases', read: async () => ({ data: await databases.list() }) };
    }),
  );

  router
    .route('/api/admins/stream')
    .get(
      serverTwin((_admin, request) => {
        refuseParameters(request);
        return { name: 'admins', read: async () => ({ data: await people.list() }) };
      }),
    )
    .all(methodNotAllowed('GET'));

  router
    .route('/api/invites/stream')
    .get(
      serverTwin((_admin, request) => {
        refuseParameters(request);
        return { name: 'invites', read: async () => ({ data: await people.invites() }) };
      }),
    )
    .all(methodNotAllowed('GET'));

  router
    .route('/api/admin/sessions/stream')
    .get(
      serverTwin(({ adminId, sessionId }, request) => {
        refuseParameters(request);
        const read = async () => ({
          data: (await sessions.list(adminId)).map((session) => ({ ...session, isCurrent: session.id === sessionId })),
        });
        return { name: 'sessions', place: ` ${sessionId}`, read };
      }),
    )
    .all(methodNotAllowed('GET'));

  router
    .route('/api/audit/stream')
    .get(
      serverTwin((_admin, request) => {
        const { database, actor, action } = parseParameters(queryOf(request), auditParameters, cursorParameters);
        const filter = { database: database ?? undefined, actor: actor ?? undefined, action: action ?? undefined };
        return { name: 'audit', place: ` ${JSON.stringify(filter)}`, read: () => audit.list(filter, AUDIT_ENTRIES) };
      }),
    )
    .all(methodNotAllowed('GET'));

  router
    .route('/api/databases/:database/stream')
    .get(twin(({ name }) => ({ name: 'database', collections: 'all', read: () => databases.get(name) })))
    .all(methodNotAllowed('GET'));

  router.get(
    '/api/databases/:database/collections/stream',
    orTheOneOfThisName,
    twin(({ id }) => ({
      name: 'collections',
      collections: 'all',
      read: async () => ({ data: await databases.collections(id) }),
    })),
  );

  router
    .route('/api/databases/:database/collections/:collection/stream')
    .get(
      twin(({ id: databaseId }, request) => {
        const collection = collectionOf(request);
        const read = () => readCollectionDetail(adminReads, { databaseId, collection });
        return { name: 'collection', collections: new Set([collection]), everySeconds: 5, read };
      }),
    )
    .all(methodNotAllowed('GET'));

  router.get(
    '/api/databases/:database/collections/:collection/indexes/stream',
    orTheOneOfThisName,
    twin(({ id: databaseId }, request) => {
      const collection = collectionOf(request);
      const read = async () => ({ data: await collectionIndexes.list({ databaseId, collection }) });
      return { name: 'indexes', collections: new Set([collection]), everySeconds: 1, read };
    }),
  );

  router
    .route('/api/databases/:database/collections/:collection/documents/stream')
    .get(
      adminGate(async (admin, request, response) => {
        refuseOtherTypes(request);
        const shape = parseListRequest(queryOf(request), { ...adminListDefaults, ignored: ownParameters });
        const form = parseLiveForm(queryOf(request));
        const database = await databaseOf(request);
        const collection = collectionOf(request);
        const origin = shape.related.links ? originOf(request) : undefined;
        const target: LiveTarget = { database, collection, mayGet: () => true, visible: '*', origin };
        const source = liveSources.list(target, shape, 'documents');
        refuseStepsWithoutRows(form, source);
        const bounds = liveSources.boundsOf(target, shape);
        const verdict: ViewerVerdict = (newest) =>
          liveSources.boundsOf({ ...target, database: newest }, shape) === bounds
            ? staysOpen(newest)
            : { status: 'return' };
        await open(admin, (onClosed) =>
          live(request, response, { databaseId: database.id, source, form, verdict, onClosed }),
        );
      }),
    )
    .all(methodNotAllowed('GET'));

  router
    .route('/api/databases/:database/users/stream')
    .get(
      twin(({ id }) => ({
        name: 'users',
        collections: new Set([usersCollection]),
        everySeconds: 5,
        read: async () => ({ data: await userAccounts.list(id) }),
      })),
    )
    .all(methodNotAllowed('GET'));

  router
    .route('/api/databases/:database/keys/stream')
    .get(
      twin(({ id }) => ({
        name: 'keys',
        collections: new Set<string>(),
        everySeconds: 5,
        read: async () => ({ data: await apiKeys.list(id) }),
      })),
    )
    .all(methodNotAllowed('GET'));

  router.get(
    '/api/databases/:database/roles/stream',
    orTheOneOfThisName,
    twin(({ id }) => ({
      name: 'roles',
      collections: new Set<string>(),
      read: async () => ({ data: await roles.list(id) }),
    })),
  );

  return router;
}

/** Something may be called `stream`: such a path is a stream for whoever asks for events, as browsers do, and the thing of this name for all others. */
const orTheOneOfThisName: RequestHandler = (request, _response, next) => {
  if (meansStream(request.headers.accept)) next();
  else next('route');
};

function sourceOf({ name, collections, everySeconds, read }: List, path: string): RereadSource {
  return {
    kind: 'reread',
    key: JSON.stringify(['admin', path]),
    name,
    collection: null,
    collections,
    isOfConfiguration: true,
    pauseMs: PAUSE_MS,
    everySeconds: everySeconds ?? null,
    read: async () => ({ at: null, body: JSON.stringify(await read()), rows: null, totals: null, collections: [] }),
  };
}

function collectionOf(request: Request): string {
  const collection = String(request.params.collection);
  if (!collectionNamePattern.test(collection)) throw new Problem('not_found', 'There is no collection with this name.');
  return collection;
}
