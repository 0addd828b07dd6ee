/** `GET /api/explain`: why a key or a user is shown an event or not. */
import type { AdminGate } from '@tidewire/access/admin-gate';
import { rolesOf } from '@tidewire/access/directory-user';
import { type Standing, standingOf } from '@tidewire/access/rights';
import { rightsOfRoles } from '@tidewire/access/role-rights';
import { readUserClaims, type UserClaims } from '@tidewire/access/user-claims';
import type { UserDirectory } from '@tidewire/access/user-directory';
import type { EventLog } from '@tidewire/change-log/event-log';
import {
  optional,
  type ParameterParser,
  parseParameters,
  text,
  texts,
  wholeNumber,
  wrongParameters,
} from '@tidewire/collections/query-parameters';
import type { Catalog, CatalogDatabase } from '@tidewire/db/catalog';
import { explainEvent } from '@tidewire/delivery/explain-event';
import { encodeAdminEvent } from '@tidewire/delivery/stream-view';
import type { JsonObject } from '@tidewire/protocol/json';
import { databaseNamePattern } from '@tidewire/protocol/names';
import { Problem } from '@tidewire/protocol/problem';
import { methodNotAllowed } from '@tidewire/server-kit/problem-handler';
import { sendJson } from '@tidewire/server-kit/send-json';
import { Router } from 'express';
import { queryOf } from '../parse-input.js';

export type ExplainRoutesDeps = {
  adminGate: AdminGate;
  catalog: Catalog;
  log: EventLog;
  /** Where the documents of users are looked up. */
  directory: Pick<UserDirectory, 'lookUp'>;
};

const eventIds: ParameterParser<number | null> = optional(wholeNumber(0, 1, Number.MAX_SAFE_INTEGER));
const parameters = {
  database: text,
  key: text,
  user: text,
  role: texts,
  claims: text,
  event: eventIds,
  since: optional(wholeNumber(0, 0, Number.MAX_SAFE_INTEGER)),
  collections: texts,
  events: texts,
  q: texts,
};

/** To be mounted at `/api`. */
export function createExplainRoutes({ adminGate, catalog, log, directory }: ExplainRoutesDeps): Router {
  const router = Router({ caseSensitive: true });

  async function databaseOf(name: string | null): Promise<CatalogDatabase> {
    const database = name !== null && databaseNamePattern.test(name) ? await catalog.byName(name) : null;
    if (database === null) throw new Problem('not_found', 'There is no database with this name.');
    return database;
  }

  async function eventOf({ id: databaseId }: CatalogDatabase, id: number) {
    const [event] = await log.readAfter(databaseId, id - 1, 1);
    if (event?.id === id) return event;
    const [head] = await log.heads([databaseId]);
    throw new Problem(
      'not_found',
      `The log has no event ${id}. It reaches from ${head?.oldest ?? 1} to ${head?.head ?? 0}.`,
    );
  }

  router
    .route('/explain')
    .get(
      adminGate(async (_admin, request, response) => {
        const given = parseParameters(queryOf(request), parameters);
        const { event: eventId, since, collections, events, q } = given;
        if (eventId === null)
          throw wrongParameters([{ field: 'event', message: 'it is not said which event is meant' }]);
        const database = await databaseOf(given.database);
        const standing = await standingOfAsked(database, given, directory);
        const event = await eventOf(database, eventId);
        const explained = explainEvent({ database, standing, event, parameters: { collections, events, q }, since });
        const { shown, reason, detail } = explained;
        const head = JSON.stringify({ shown, reason, detail });
        const seen = explained.shown ? encodeAdminEvent(explained.seen) : 'null';
        sendJson(response, 200, `${head.slice(0, -1)},"event":${encodeAdminEvent(event)},"seen":${seen}}`);
      }),
    )
    .all(methodNotAllowed('GET'));
  return router;
}

type Asked = { key: string | null; user: string | null; role: readonly string[]; claims: string | null };

/** A key of the database; or whoever has this subject, and these roles or those of the user's document. Throws `bad_request` or `not_found`. */
async function standingOfAsked(
  database: CatalogDatabase,
  { key, user, role, claims }: Asked,
  directory: Pick<UserDirectory, 'lookUp'>,
): Promise<Standing> {
  if ((key === null) === (user === null))
    throw wrongParameters([
      { field: 'key', message: 'one of key and user says who is meant', allowed: 'key, or user' },
    ]);
  if (key !== null) {
    if (!database.keys.has(key)) throw new Problem('not_found', 'The database has no key with this id.');
    return standingOf({ kind: 'key', databaseId: database.id, keyId: key }, database);
  }
  const missing = role.find((name) => !database.roles.has(name));
  if (missing !== undefined)
    throw new Problem('not_found', `The database has no role ${JSON.stringify(missing.slice(0, 100))}.`);
  const person = personOf(user ?? '', parseClaims(claims));
  const { document, hasAccount } =
    role.length > 0 ? { document: null, hasAccount: false } : await directory.lookUp(database, person);
  if (document?.isActive === false) return { status: 'ended', ended: 'revoked', reason: 'the user is switched off' };
  const { subject: sub, claims: values } = person;
  const roles = role.length > 0 ? role : rolesOf(database.settings.auth, { claims: values, hasAccount, document });
  const facts = { roles, values: { sub, claims: values }, realtime: document?.realtime, origins: [], expiresAt: null };
  return { status: 'good', rights: rightsOfRoles(database, facts), until: Number.POSITIVE_INFINITY };
}

/** As a token with these claims would say it, good for ever. */
function personOf(sub: string, claims: JsonObject): UserClaims {
  const payload = { ...claims, sub, exp: Math.floor(Date.now() / 1_000) + 60 };
  const person = readUserClaims(payload, { isOwn: false, toleranceSeconds: 0 });
  if (person !== null) return person;
  throw wrongParameters([{ field: 'user', message: 'this cannot be the subject of a token' }]);
}

function parseClaims(given: string | null): JsonObject {
  if (given === null) return {};
  try {
    const value: unknown = JSON.parse(given);
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as JsonObject;
  } catch {
    // Told below, as anything else that is no object.
  }
  throw wrongParameters([{ field: 'claims', message: 'this is no JSON object', allowed: 'as in {"team":"red"}' }]);
}
