/** Nothing that a client writes, wherever it may write, becomes a part of a statement. */
import type { SqlPool } from '@tidewire/db/sql-pool';
import { isStorable } from '@tidewire/query/paths';
import { payloads } from '@tidewire/query/payloads.fixture';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import {
  type Ask,
  adminCredentials,
  createTally,
  eachOf,
  escapeText,
  expectNoInternals,
  expectTried,
  type HostileApi,
  missingId,
  startHostileApi,
} from './hostile.fixture.js';

const { env } = process;
/** Each place gets every third of the payloads, the next place others; 1 sends all to all. */
const step = Number(env.STEP ?? 3);
const shareOf = (place: string) => {
  const index = [...Object.keys(readPlaces), ...Object.keys(writePlaces)].indexOf(place);
  return place === 'a name and a value' ? payloads : payloads.filter((_, turn) => (turn + index) % step === 0);
};

let hostile: HostileApi;
let cookie: string;
let documentId: string;
let keyId: string;
let serverVersion: string;
/** The text of every statement that the server has sent to Postgres. */
const statements = new Set<string>();

beforeAll(async () => {
  hostile = await startHostileApi();
  const { pool, lanePool } = hostile.api.connections;
  for (const one of [pool, lanePool]) noteStatements(one, (text) => statements.add(text));
  cookie = await hostile.signIn();
  ({ id: keyId } = await hostile.api.createKey());
  const made = await hostile.send({
    method: 'POST',
    path: '/rest/target',
    body: '{"a":1,"b":{"c":"x"},"list":[1,{"d":2}]}',
  });
  documentId = (JSON.parse(made.text) as { _id: string })._id;
  const { rows } = await pool.query<{ version: string }>('SELECT version() AS version');
  serverVersion = rows[0]?.version ?? '';
});
afterEach(() => expect(hostile.api.accidents).toEqual([]));
afterAll(() => hostile.close());

function noteStatements(pool: SqlPool, note: (text: string) => void): void {
  const known = new WeakSet<object>();
  pool.on('acquire', (client) => {
    if (known.has(client)) return;
    known.add(client);
    const send = client.query.bind(client) as (...parts: unknown[]) => unknown;
    const noted = (...parts: unknown[]) => {
      const [statement] = parts;
      note(typeof statement === 'string' ? statement : String((statement as { text?: unknown }).text));
      return send(...parts);
    };
    client.query = noted as typeof client.query;
  });
}

const q = escapeText;
const json = (value: unknown) => q(JSON.stringify(value));
const list = (query: string): Ask => ({ path: `/rest/target?${query}` });
const post = (path: string, body: unknown, headers: Record<string, string> = {}): Ask => ({
  method: 'POST',
  path,
  headers,
  body: typeof body === 'string' ? body : JSON.stringify(body),
});
const patch = (body: unknown, type = 'application/json'): Ask => ({
  method: 'PATCH',
  path: `/rest/target/${documentId}`,
  headers: { 'content-type': type },
  body: JSON.stringify(body),
});
const admin = (ask: Ask): Ask => ({ ...ask, headers: { ...ask.headers, cookie } });
/** Node refuses to send what cannot stand in a header. */
const headerText = (payload: string) => payload.replaceAll(/[^\x20-\x7e]/g, '');

/** Places of reads: nothing may change. */
const readPlaces: Record<string, (payload: string) => Ask> = {
  'the path of a field': (payload) => list(`q=${json({ [payload]: 1 })}`),
  'the path below a field': (payload) => list(`q=${json({ [`b.${payload}`]: { $exists: false } })}`),
  'the path below a metafield': (payload) => list(`q=${json({ [`_created.${payload}`]: null })}`),
  'a value': (payload) => list(`q=${json({ a: payload })}`),
  'a value of $in': (payload) => list(`q=${json({ a: { $in: [payload, 1] } })}`),
  'a value of a metafield': (payload) => list(`q=${json({ _createdby: { $gte: payload }, _id: { $lt: payload } })}`),
  'a value within an object': (payload) => list(`q=${json({ b: { c: payload, [`x${payload}`]: [payload] } })}`),
  'an operator': (payload) => list(`q=${json({ a: { [`$${payload}`]: 1 } })}`),
  'a pattern': (payload) => list(`q=${json({ a: { $regex: payload, $options: 'i' } })}`),
  'a search': (payload) => list(`q=${json({ $text: { $search: payload } })}`),
  'the text of q': (payload) => list(`q=${q(payload)}`),
  'words of filter': (payload) => list(`filter=${q(payload)}`),
  'a field to sort by': (payload) => list(`sort=${q(payload)}&dir=-1&sort=${q(`b.${payload}`)}`),
  'the direction of a sort': (payload) => list(`sort=a&dir=${q(payload)}`),
  'an order in h': (payload) => list(`h=${json({ $orderby: { [payload]: -1 } })}`),
  'a field to show': (payload) => list(`h=${json({ $fields: { [payload]: 1, [`b.${payload}`]: 1 } })}`),
  'bounds in h': (payload) => list(`h=${json({ $max: payload, $skip: payload })}`),
  'a key of h': (payload) => list(`h=${json({ [payload]: 1 })}`),
  'the text of h': (payload) => list(`h=${q(payload)}`),
  'groups in h': (payload) =>
    list(`h=${json({ $groupby: [payload], $aggregate: [`SUM:${payload}`], '$aggregate-grand-total': true })}`),
  'a group': (payload) => list(`groupby=${q(payload)}&groupby=${q(`b.${payload}`)}`),
  'the format of a group': (payload) => list(`groupby=${q(`$DATE.${payload}:_created`)}`),
  'the part of a date in a group': (payload) => list(`groupby=${q(`$${payload}:_created`)}`),
  'the field of an aggregate': (payload) =>
    list(`aggregate=${q(`SUM:${payload}`)}&aggregate=${q(`COUNT:${payload}`)}&groupby=a`),
  'the function of an aggregate': (payload) => list(`aggregate=${q(`${payload}:a`)}`),
  max: (payload) => list(`max=${q(payload)}`),
  skip: (payload) => list(`skip=${q(payload)}`),
  'a cursor': (payload) => list(`cursor=${q(payload)}`),
  'the order of a cursor': (payload) => list(`cursor=${cursorOf([[1, payload]], [payload])}`),
  'a place in a cursor': (payload) => list(`cursor=${cursorOf([[1, '_id']], [payload])}`),
  'a place in a cursor of an order': (payload) =>
    list(
      `sort=a&cursor=${cursorOf(
        [
          [1, 'a'],
          [1, '_id'],
        ],
        [payload, payload],
      )}`,
    ),
  totals: (payload) => list(`totals=${q(payload)}`),
  format: (payload) => list(`format=${q(payload)}`),
  'the suffix of a path': (payload) => ({ path: `/rest/target.${q(payload)}` }),
  'the name of a parameter': (payload) => list(`${q(payload)}=1`),
  'a collection': (payload) => ({ path: `/rest/${q(payload)}` }),
  'an id': (payload) => ({ path: `/rest/target/${q(payload)}` }),
  'an id of a history': (payload) => ({ path: `/rest/target/${q(payload)}/history` }),
  'the bounds of a history': (payload) => ({
    path: `/rest/target/${documentId}/history?before=${q(payload)}&max=${q(payload)}`,
  }),
  'an event': (payload) => ({ path: `/rest/target/${documentId}/asof/${q(payload)}` }),
  'the collection of an export': (payload) => ({ path: `/rest/${q(payload)}/export` }),
  'the format of an export': (payload) => ({ path: `/rest/target/export?format=${q(payload)}` }),
  'the cursor of events': (payload) => ({ path: `/events?since=${q(payload)}` }),
  'the key': (payload) => ({ path: '/rest/target', headers: { 'x-apikey': headerText(payload) } }),
  'the key in the query': (payload) => ({ path: `/rest/target?token=${q(payload)}` }),
  'If-None-Match': (payload) => ({
    path: `/rest/target/${documentId}`,
    headers: { 'if-none-match': headerText(payload) },
  }),
  'X-Request-Id': (payload) => ({ path: '/rest/target?max=1', headers: { 'x-request-id': headerText(payload) } }),
  'a database of the admin': (payload) => admin({ path: `/api/databases/${q(payload)}` }),
  'a collection of the admin': (payload) =>
    admin({ path: `/api/databases/default/collections/${q(payload)}/documents` }),
  'an order of the admin': (payload) =>
    admin({ path: `/api/databases/default/collections/target/documents?sort=${q(payload)}&filter=${q(payload)}` }),
  'the bounds of the log': (payload) => admin({ path: `/api/databases/default/events?before=${q(payload)}` }),
  'a session': (payload) => ({ path: '/api/session', headers: { cookie: `tidewire_session=${headerText(payload)}` } }),
};

/** Places of writes: what is stored is what was sent, and nothing else changes. */
const writePlaces: Record<string, (payload: string) => Ask> = {
  'a name and a value': (payload) =>
    post('/rest/written', `{${JSON.stringify(`n${payload}`)}:${JSON.stringify(payload)}}`),
  'a column and a cell': (payload) =>
    post(
      '/rest/written/import?format=csv',
      `"n${payload.replaceAll('"', '""')}"\r\n"${payload.replaceAll('"', '""')}"\r\n`,
    ),
  'the collection of a write': (payload) => post(`/rest/${q(payload)}`, {}),
  'the collection of an import': (payload) => post(`/rest/${q(payload)}/import?format=ndjson`, '{}'),
  'the format of an import': (payload) => post(`/rest/written/import?format=${q(payload)}`, '{}'),
  'an _id that is kept': (payload) => post('/rest/written/import?format=ndjson&keepIds=true', { _id: payload }),
  'a dotted path of $set': (payload) => patch({ $set: { [`p.${payload}`]: payload } }),
  'a path of $unset': (payload) => patch({ $unset: { [payload]: 1 } }),
  'an item of $pull': (payload) => patch({ $pull: { list: payload } }),
  'a place of a JSON Patch': (payload) =>
    patch([{ op: 'add', path: `/p${payload}`, value: payload }], 'application/json-patch+json'),
  'a merge patch': (payload) => patch({ p: { [`n${payload}`]: null } }, 'application/merge-patch+json'),
  'the id of a PUT': (payload) => ({ method: 'PUT', path: `/rest/target/${q(payload)}`, body: '{"a":2}' }),
  'the id of a DELETE': (payload) => ({ method: 'DELETE', path: `/rest/nothing/${q(payload) || missingId}` }),
  'ids of a DELETE': (payload) => ({ method: 'DELETE', path: '/rest/target/*', body: JSON.stringify([payload]) }),
  'the query of a DELETE': (payload) => ({
    method: 'DELETE',
    path: `/rest/target/*?q=${json({ none: { $eq: payload } })}`,
  }),
  'the path of a DELETE': (payload) => ({
    method: 'DELETE',
    path: `/rest/target/*?q=${json({ [`none.${payload}`]: 1 })}`,
  }),
  'the query of a PATCH': (payload) => ({
    method: 'PATCH',
    path: `/rest/target/*?q=${json({ [payload]: payload })}`,
    body: '{"a":3}',
  }),
  'an idempotency key': (payload) => post('/rest/written', { k: 1 }, { 'idempotency-key': headerText(payload) || 'x' }),
  'If-Match': (payload) => ({
    ...patch({ a: 4 }),
    headers: { 'content-type': 'application/json', 'if-match': headerText(payload) },
  }),
  'a setting': (payload) =>
    admin({
      method: 'PATCH',
      path: '/api/databases/default/settings',
      body: JSON.stringify({ realtime: { [payload]: true } }),
    }),
  'the name of a key': (payload) => admin(post('/api/databases/default/keys', { name: payload })),
  'a grant': (payload) =>
    admin(post('/api/databases/default/keys', { name: 'x', rest: [`GET:${payload}`], publish: [payload] })),
  'the id of a key': (payload) =>
    admin({ method: 'PATCH', path: `/api/databases/default/keys/${q(payload) || keyId}x`, body: '{"name":"y"}' }),
  'an e-mail address': (payload) => post('/api/session', { email: payload, password: adminCredentials.password }),
};

const tally = createTally();

async function attack(place: string, ask: Ask, payload: string): Promise<void> {
  const answer = await hostile.send(ask);
  tally.note(answer);
  const what = `${place}: ${JSON.stringify(payload.slice(0, 60))} → ${answer.status}`;
  expect(`${what} ${answer.text.slice(0, 300)}`).toMatch(/→ [234]\d\d /);
  // The time limit of a read is below what every pg_sleep asks for.
  expect(`${what} ${answer.text.slice(0, 300)}`).not.toContain('query_too_slow');
  expect(answer.text, what).not.toContain(serverVersion);
  if (answer.status >= 400) expectNoInternals(answer.text, what, [payload, q(payload)]);
}

describe(`${payloads.length} texts by which SQL is attacked`, { timeout: 60_000 }, () => {
  it.each(Object.entries(readPlaces))('as %s change nothing and learn nothing', async (place, askFor) => {
    const before = await hostile.takeStock();
    await eachOf(shareOf(place), 4, (payload) => attack(place, askFor(payload), payload));
    expect(await hostile.takeStock()).toBe(before);
  });

  it.each(Object.entries(writePlaces))('as %s are stored as they are or refused', async (place, askFor) => {
    const { pool, prisma } = hostile.api.connections;
    const count = async () =>
      (
        await pool.query(`SELECT (SELECT count(*) FROM documents d JOIN collections c ON c.id = d.collection_id WHERE c.name = 'target') AS target,
        (SELECT count(*) FROM databases) AS databases, (SELECT count(*) FROM admins) AS admins`)
      ).rows;
    const before = await count();
    await eachOf(shareOf(place), 4, async (payload) => {
      if (place === 'an e-mail address') await prisma.loginThrottle.deleteMany();
      await attack(place, askFor(payload), payload);
    });
    expect(await count()).toEqual(before);
    expect((await hostile.send({ path: `/rest/target/${documentId}` })).status).toBe(200);
  });

  it('that were stored come back as they were sent', async () => {
    const { text } = await hostile.send({ path: '/rest/written?max=10000' });
    const stored = JSON.parse(text) as Record<string, unknown>[];
    const storable = payloads.filter((payload) => isStorable(payload) && Buffer.byteLength(payload) < 512);
    const missing = storable.filter((payload) => !stored.some((document) => document[`n${payload}`] === payload));
    expect(missing).toEqual([]);
  });

  it('stood in no statement, of which there are few', () => {
    const marks =
      /sleep|DROP TABLE|UNION SELECT (?:version|1,2)|pg_user|polluted|passwd|7\*7|OR '1'|COLLATE "C"'|exists\(\$|<script|\\u0027|x27/i;
    expect([...statements].filter((text) => marks.test(text))).toEqual([]);
    expect(statements.size).toBeGreaterThan(20);
    console.info(`${statements.size} statements of different text`);
  });

  it('were tried in all places', () => expectTried('texts that attack SQL', tally, 900));
});

function cursorOf(sort: unknown, values: readonly string[]): string {
  return Buffer.from(JSON.stringify({ v: 1, s: JSON.stringify(sort), k: values })).toString('base64url');
}
