/**
 * Random roles with random rules, random users, documents and requests, against the model of what rules mean: what is listed, got, summed, written, exported, and what is heard live, in a replay, in
 * polls, in live queries and in histories. RULES_SEED and RULES_ROUNDS for other and longer runs.
 */
import type { JsonObject } from '@tidewire/protocol/json';
import { createRandom, pick, type Random } from '@tidewire/query/random.fixture';
import { eventually } from '@tidewire/testing/eventually';
import { openSse, type SseProbe } from '@tidewire/testing/sse-probe';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type RuledServer, startRuledServer } from './ruled-server.fixture.js';
import {
  change,
  collections,
  create,
  decides,
  fieldNames,
  isAskable,
  type Method,
  type ModelRole,
  type ModelUser,
  makeRole,
  makeUser,
  only,
  requestOf,
  see,
  termsOf,
} from './rules-model.fixture.js';

const { env } = process;
const seed = Number(env.RULES_SEED ?? 20260901);
const phases = Number(env.RULES_ROUNDS ?? 3);
const requestsOfPhase = 120;

type LoggedEvent = {
  id: number;
  type: string;
  collection: string | null;
  name: string | null;
  before: JsonObject | null;
  after: JsonObject | null;
  documentId: string | null;
};

let server: RuledServer;
const documents = new Map<string, Map<string, JsonObject>>(collections.map((name) => [name, new Map()]));
const roles = new Map<string, ModelRole>();
let users: ModelUser[] = [];
const tried = { requests: 0, refused: 0, missing: 0, events: 0, withheld: 0, liveQueries: 0, histories: 0 };

beforeAll(async () => {
  server = await startRuledServer();
});
afterAll(async () => {
  expect(server.accidents).toEqual([]);
  await server.close();
});

async function call(user: ModelUser | null, method: string, path: string, body?: unknown) {
  const response = await fetch(`${server.url}${path}`, {
    method,
    headers: {
      ...(user === null ? { 'x-apikey': server.key } : server.headersOf(user.sub)),
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  return { status: response.status, text, body: text === '' ? null : tryParse(text) };
}

function tryParse(text: string) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

const restTerms = (user: ModelUser, method: Method, collection: string) =>
  termsOf(roles, user, `${method}:${collection}`, 'rest');
const documentsOf = (collection: string) => documents.get(collection) ?? new Map<string, JsonObject>();
const own = (document: JsonObject) =>
  Object.fromEntries(Object.entries(document).filter(([name]) => name === '_id' || !name.startsWith('_')));

function makeFields(random: Random): JsonObject {
  const fields: JsonObject = {};
  for (const name of fieldNames) if (random() < 0.6) fields[name] = makeValue(random, name);
  return fields;
}

let secrets = 0;
function makeValue(random: Random, name: string): JsonObject[string] {
  switch (name) {
    case 'owner':
      return pick(random, ['u0', 'u1', 'u2', 'u3']);
    case 'public':
      return random() < 0.3;
    case 'team':
      return pick(random, ['red', 'blue', 'green']);
    case 'for':
      return pick(random, ['r0', 'r1', 'r2']);
    case 'secret':
      secrets += 1;
      return `secret${secrets}`;
    case 'title':
      return pick(random, ['one', 'two', 'three']);
    default:
      return Math.floor(random() * 8);
  }
}

/** What of a written document its writer is shown. */
function shownToWriter(user: ModelUser, method: Method, collection: string, document: JsonObject): JsonObject {
  const written = see(restTerms(user, method, collection) ?? [], document) ?? {};
  const reading = restTerms(user, 'GET', collection);
  if (reading === null) return own(written);
  const term = decides(reading, document);
  return own(only(written, term === null ? [] : term.readFields));
}

/** The words of the search fields are those of what is shown. */
function checkWritten(answer: JsonObject, expected: JsonObject, what: string): void {
  expect(own(answer), what).toEqual(expected);
  const words = Object.entries(expected).flatMap(([name, value]) =>
    name !== '_id' && typeof value === 'string' ? [value] : [],
  );
  expect([...(answer._keywords as string[])].sort(), what).toEqual([...new Set(words)].sort());
}

async function writeAsKey(random: Random, collection: string): Promise<void> {
  const stored = documentsOf(collection);
  const ids = [...stored.keys()];
  const [id] = ids.sort(() => random() - 0.5);
  if (id === undefined || random() < 0.4) {
    const fields = makeFields(random);
    const { status, body } = await call(null, 'POST', `/rest/${collection}`, fields);
    expect(status).toBe(201);
    stored.set(body._id, { ...fields, _id: body._id, _createdby: 'api' });
  } else if (random() < 0.2) {
    expect((await call(null, 'DELETE', `/rest/${collection}/${id}`)).status).toBe(200);
    stored.delete(id);
  } else {
    const fields = makeFields(random);
    expect((await call(null, 'PUT', `/rest/${collection}/${id}`, fields)).status).toBe(200);
    stored.set(id, { ...stored.get(id), ...fields });
  }
}

const requests: Record<string, (random: Random, user: ModelUser, collection: string, id: string) => Promise<void>> = {
  async list(random, user, collection) {
    const terms = restTerms(user, 'GET', collection);
    const field = pick(random, fieldNames);
    const value = makeValue(random, field);
    const isAsking = random() < 0.5;
    const query = isAsking
      ? `?q=${encodeURIComponent(JSON.stringify({ [field]: value }))}&totals=true`
      : '?totals=true';
    const answer = await call(user, 'GET', `/rest/${collection}${query}`);
    if (terms === null || (isAsking && !isAskable(terms, field)))
      return void expect(answer.status, answer.text).toBe(403);
    const seen = listOf(user, collection, isAsking ? (document) => document[field] === value : () => true);
    expect(answer.body.data, query).toEqual(seen);
    expect(answer.body.totals.total).toBe(seen.length);
  },
  async get(_random, user, collection, id) {
    const terms = restTerms(user, 'GET', collection);
    const answer = await call(user, 'GET', `/rest/${collection}/${id}`);
    const seen = terms && see(terms, documentsOf(collection).get(id) ?? null);
    if (terms === null) expect(answer.status).toBe(403);
    else if (seen === null) expect(answer.status).toBe(404);
    else expect(answer.body).toEqual(own(seen ?? {}));
  },
  async sum(random, user, collection) {
    const terms = restTerms(user, 'GET', collection);
    const field = pick(random, ['n', 'level']);
    const answer = await call(
      user,
      'GET',
      `/rest/${collection}?aggregate=SUM:${field}&aggregate=COUNT:&aggregate=MAX:${field}`,
    );
    if (terms === null || !isAskable(terms, field)) return void expect(answer.status).toBe(403);
    const reached = [...documentsOf(collection).values()].filter((document) => see(terms, document) !== null);
    const values = reached.flatMap((document) =>
      typeof document[field] === 'number' ? [Number(document[field])] : [],
    );
    expect(answer.body['COUNT ']).toBe(reached.length);
    expect(answer.body[`SUM ${field}`]).toBe(values.reduce((sum, value) => sum + value, 0));
    const [most] = [`MAX ${field}`].map((name) => answer.body[name]);
    for (const name of Object.keys(most ?? {})) expect(name === '_id' || isAskable(terms, name), name).toBe(true);
  },
  async exported(_random, user, collection) {
    const terms = restTerms(user, 'GET', collection);
    const answer = await call(user, 'GET', `/rest/${collection}/export?format=json`);
    if (terms === null) return void expect(answer.status).toBe(403);
    expect(answer.body).toEqual(listOf(user, collection, () => true));
    const csv = await call(user, 'GET', `/rest/${collection}/export?format=csv`);
    const columns = new Set((csv.text.split('\r\n')[0] ?? '').split(','));
    expect(columns).toEqual(
      new Set(['_id', ...listOf(user, collection, () => true).flatMap((one) => Object.keys(one))]),
    );
  },
  async post(random, user, collection) {
    const terms = restTerms(user, 'POST', collection);
    const body = makeFields(random);
    const answer = await call(user, 'POST', `/rest/${collection}`, body);
    const made = terms && create(terms, body);
    if (made === null) return void expect(answer.status, answer.text).toBe(403);
    expect(answer.status, answer.text).toBe(201);
    const document = { ...made, _id: answer.body._id };
    documentsOf(collection).set(answer.body._id, document);
    checkWritten(answer.body, shownToWriter(user, 'POST', collection, document), 'post');
  },
  put: (random, user, collection, id) => changeOne(random, user, { method: 'PUT', collection, id, isReplaced: false }),
  replace: (random, user, collection, id) =>
    changeOne(random, user, { method: 'PUT', collection, id, isReplaced: true }),
  patch: (random, user, collection, id) =>
    changeOne(random, user, { method: 'PATCH', collection, id, isReplaced: false }),
  async patchMany(random, user, collection) {
    const terms = restTerms(user, 'PATCH', collection);
    const reading = restTerms(user, 'GET', collection) ?? [];
    const value = Math.floor(random() * 8);
    const body = { title: pick(random, ['one', 'two']) };
    const answer = await call(user, 'PATCH', `/rest/${collection}/*?q={"n":${value}}`, body);
    if (terms === null || !isAskable(terms, 'n') || !isAskable(reading, 'n'))
      return void expect(answer.status).toBe(403);
    const meant = [...documentsOf(collection)].filter(
      ([, document]) => see(terms, document) !== null && document.n === value,
    );
    const after = meant.map(([id, document]) => [id, change(terms, document, body, false)] as const);
    if (after.some(([, outcome]) => typeof outcome === 'string'))
      return void expect(answer.status, answer.text).toBe(403);
    expect(answer.status, answer.text).toBe(200);
    expect(answer.body.result).toEqual(meant.map(([id]) => id).sort());
    for (const [id, document] of after) if (typeof document !== 'string') documentsOf(collection).set(id, document);
  },
  async delete(_random, user, collection, id) {
    const terms = restTerms(user, 'DELETE', collection);
    const answer = await call(user, 'DELETE', `/rest/${collection}/${id}`);
    if (terms === null) return void expect(answer.status).toBe(403);
    const isThere = see(terms, documentsOf(collection).get(id) ?? null) !== null;
    expect(answer.status).toBe(isThere ? 200 : 404);
    if (isThere) documentsOf(collection).delete(id);
  },
  async deleteMany(random, user, collection) {
    const terms = restTerms(user, 'DELETE', collection);
    const ids = [...documentsOf(collection).keys()].filter(() => random() < 0.1);
    if (ids.length === 0) return;
    const answer = await call(user, 'DELETE', `/rest/${collection}/*`, ids);
    if (terms === null) return void expect(answer.status).toBe(403);
    const gone = ids.filter((id) => see(terms, documentsOf(collection).get(id) ?? null) !== null);
    expect(answer.body.result).toEqual(gone);
    for (const id of gone) documentsOf(collection).delete(id);
  },
};

async function changeOne(
  random: Random,
  user: ModelUser,
  {
    method,
    collection,
    id,
    isReplaced,
  }: { method: 'PUT' | 'PATCH'; collection: string; id: string; isReplaced: boolean },
): Promise<void> {
  const terms = restTerms(user, method, collection);
  const fields = makeFields(random);
  const body = random() < 0.6 ? Object.fromEntries(Object.entries(fields).slice(0, 1)) : fields;
  const answer = await call(user, method, `/rest/${collection}/${id}${isReplaced ? '?replace=true' : ''}`, body);
  if (terms === null) return void expect(answer.status).toBe(403);
  const outcome = change(terms, documentsOf(collection).get(id), body, isReplaced);
  if (outcome === 'missing') tried.missing += 1;
  if (outcome === 'refused') tried.refused += 1;
  if (typeof outcome === 'string')
    return void expect(answer.status, `${JSON.stringify(body)} ${answer.text}`).toBe(outcome === 'missing' ? 404 : 403);
  expect(answer.status, answer.text).toBe(200);
  documentsOf(collection).set(id, outcome);
  checkWritten(answer.body, shownToWriter(user, method, collection, outcome), `${method} ${JSON.stringify(body)}`);
}

function listOf(user: ModelUser, collection: string, isMeant: (document: JsonObject) => boolean): JsonObject[] {
  const terms = restTerms(user, 'GET', collection) ?? [];
  return [...documentsOf(collection).values()]
    .filter((document) => isMeant(document))
    .map((document) => see(terms, document))
    .filter((document) => document !== null)
    .map(own)
    .sort((a, b) => (String(a._id) < String(b._id) ? -1 : 1));
}

async function readLog(): Promise<LoggedEvent[]> {
  const { rows } = await server.core.pool.query<LoggedEvent>(
    `SELECT e.id, e.type::text AS type, c.name AS collection, e.name, e.before, e.after, e.document_id AS "documentId"
      FROM events e LEFT JOIN collections c ON c.id = e.collection_id ORDER BY e.id`,
  );
  return rows;
}

/** The block of `/realtime` that the user is shown for the event; null for none. */
function heardBy(user: ModelUser, event: LoggedEvent): [string, string, unknown] | null {
  const id = String(event.id);
  if (event.type === 'publish') return ['publish', id, event.name];
  const terms = termsOf(roles, user, `${event.type.toUpperCase()}:${event.collection}`, 'listen') ?? [];
  const [before, after] = [see(terms, event.before), see(terms, event.after)];
  tried.events += 1;
  if (before === null && after === null) {
    tried.withheld += 1;
    return null;
  }
  if (after === null) return ['delete', id, [event.documentId]];
  return before === null ? ['post', id, after] : ['put', id, event.documentId];
}

const blocksOf = (stream: SseProbe) =>
  stream.messages
    .filter(({ event }) => event !== 'ping' && event !== 'message')
    .map(({ event, id, data }) => {
      const parsed = JSON.parse(data);
      return [event, id, event === 'publish' ? parsed.event : parsed.data];
    });

const open = (user: ModelUser, path: string) =>
  openSse(`${server.url}${path}`, { headers: server.headersOf(user.sub) });
const hasMarker = (stream: SseProbe, marker: string) =>
  stream.waitFor(({ data }) => data.includes(`"${marker}"`), { timeoutMs: 20_000 });

async function checkHistory(
  user: ModelUser,
  collection: string,
  id: string,
  log: readonly LoggedEvent[],
): Promise<void> {
  const terms = restTerms(user, 'GET', collection);
  const answer = await call(user, 'GET', `/rest/${collection}/${id}/history?max=100`);
  if (terms === null) return void expect(answer.status).toBe(403);
  tried.histories += 1;
  const seen = log
    .filter(({ documentId, collection: of }) => documentId === id && of === collection)
    .map((event) => ({ id: event.id, before: see(terms, event.before), after: see(terms, event.after) }))
    .filter(({ before, after }) => before !== null || after !== null)
    .reverse();
  if (seen.length === 0) return void expect(answer.status).toBe(404);
  const versions = answer.body.data.map(({ eventId, document }: { eventId: number; document: JsonObject | null }) => [
    eventId,
    document,
  ]);
  expect(versions).toEqual(seen.map(({ id: eventId, after }) => [eventId, after]));
}

/** The rows that the steps of a live query add up to. */
function rowsOf(stream: SseProbe): JsonObject[] {
  const rows = new Map<string, JsonObject>();
  for (const { event, data } of stream.messages) {
    if (event === 'ping') continue;
    const parsed = JSON.parse(data);
    if (event === 'snapshot') {
      rows.clear();
      for (const row of parsed.data) rows.set(row._id, row);
    } else if (event === 'leave') rows.delete(parsed._id);
    else if (event === 'enter' || event === 'change') rows.set(parsed.document._id, parsed.document);
  }
  return [...rows.values()].sort((a, b) => (String(a._id) < String(b._id) ? -1 : 1));
}

it(`rules mean the same on every way to a document and to an event as in the model; seed ${seed}`, {
  timeout: 60_000 * phases,
}, async () => {
  const random = createRandom(seed);
  const names = ['r0', 'r1', 'r2'] as const;
  const { core, database } = server;
  for (let phase = 0; phase < phases; phase += 1) {
    for (const name of names) {
      const role = makeRole(random, name);
      roles.set(name, role);
      const { name: _name, ...changes } = requestOf(role);
      if (phase === 0) await core.roles.create(database.id, requestOf(role));
      else await core.roles.update(database.id, name, changes);
    }
    users = ['u0', 'u1', 'u2', 'u3'].map((sub) => makeUser(random, sub, names));
    for (const { sub, roles: held, claims } of users)
      await server.setUser(sub, { roles: held, claims, realtime: { sub: ['PUBLISH:*'], pub: [] } });
    const before = (await readLog()).length;
    const streams = await Promise.all(users.map((user) => open(user, '/realtime')));
    const lives = await Promise.all(
      users.flatMap((user) =>
        collections.map(async (collection) => {
          const stream = await open(user, `/rest/${collection}/stream?delta=true&fetchrelations=false`);
          return { user, collection, stream };
        }),
      ),
    );
    for (const stream of streams) await stream.waitFor('ping');

    for (let count = 0; count < requestsOfPhase; count += 1) {
      const collection = pick(random, collections);
      await writeAsKey(random, collection);
      const user = users[Math.floor(random() * users.length)];
      const ids = [...documentsOf(collection).keys()];
      const id = ids[Math.floor(random() * ids.length)] ?? 'f'.repeat(24);
      const name = Object.keys(requests)[Math.floor(random() * Object.keys(requests).length)];
      if (user === undefined || name === undefined) throw new Error('nobody asks');
      tried.requests += 1;
      await requests[name]?.(random, user, collection, id);
    }

    for (const collection of collections) {
      const stored = (await call(null, 'GET', `/rest/${collection}?max=10000`)).body;
      const modelled = [...documentsOf(collection).values()].map(own);
      expect(stored).toEqual(modelled.sort((a, b) => (String(a._id) < String(b._id) ? -1 : 1)));
    }
    const marker = `END${phase}`;
    await call(null, 'POST', '/realtime', { event: marker, data: {} });
    const log = await readLog();
    for (const [index, user] of users.entries()) {
      const stream = streams[index];
      if (stream === undefined) throw new Error('no stream');
      await hasMarker(stream, marker);
      const expected = (since: number) =>
        log
          .filter(({ id }) => id > since)
          .map((event) => heardBy(user, event))
          .filter((block) => block !== null);
      expect(blocksOf(stream), `live, phase ${phase}, ${user.sub}`).toEqual(expected(before));
      const replay = await open(user, '/realtime?since=0');
      await hasMarker(replay, marker);
      expect(blocksOf(replay), `replay, phase ${phase}, ${user.sub}`).toEqual(expected(0));
      const polled: { id: number }[] = [];
      for (let since = 0; since < log.length; ) {
        const page = (await call(user, 'GET', `/events?since=${since}&max=1000`)).body;
        polled.push(...page.data);
        since = page.next;
      }
      expect(polled.map(({ id }) => String(id))).toEqual(expected(0).map(([, id]) => id));
      for (const collection of collections)
        for (const id of [
          ...documentsOf(collection).keys(),
          ...log.flatMap(({ documentId }) => documentId ?? []),
        ].filter(() => random() < 0.03))
          await checkHistory(user, collection, id, log);
      stream.close();
      replay.close();
    }
    for (const { user, collection, stream } of lives) {
      const isAllowed =
        restTerms(user, 'GET', collection) !== null &&
        ['POST', 'PUT', 'DELETE'].every((type) => termsOf(roles, user, `${type}:${collection}`, 'listen') !== null);
      expect(stream.status).toBe(isAllowed ? 200 : 403);
      if (isAllowed) {
        tried.liveQueries += 1;
        await eventually(() => expect(rowsOf(stream)).toEqual(listOf(user, collection, () => true)));
      }
      stream.close();
    }
  }
  process.stdout.write(`rules against the model: ${JSON.stringify(tried)}\n`);
  expect(tried.withheld).toBeGreaterThan(100 * phases);
  expect(tried.liveQueries).toBeGreaterThan(0);
});
