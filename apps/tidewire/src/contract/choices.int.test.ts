/** What restdb.io's public pages leave open, and what Tidewire chose: one test for each choice. `docs/restdb.md` tells them. */
import { openSse } from '@tidewire/testing/sse-probe';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type ContractServer, type Document, startContractServer } from './contract.fixture.js';

let server: ContractServer;
const call: ContractServer['call'] = (...given) => server.call(...given);

beforeAll(async () => {
  server = await startContractServer();
});
afterAll(() => server.close());

test('a validation error is 422 with message, name, status, list, and with code, errors and requestId', async () => {
  const { status, body } = await call('/rest/company', { method: 'POST', body: { _x: 1 } });
  expect([status, Object.keys(body as object).sort()]).toEqual([
    422,
    ['code', 'detail', 'errors', 'list', 'message', 'name', 'requestId', 'status', 'title', 'type'],
  ]);
});

test('a GET of an id that nobody has is 404 with message, name and status', async () => {
  const { status, body } = await call('/rest/company/577cf185e2039b0900000016');
  expect([status, body]).toMatchObject([404, { message: expect.any(String), name: expect.any(String), status: 404 }]);
});

test('a grouped answer is an array of rows with groupkey and a property for each aggregate, FUNCTION field', async () => {
  await server.create('sold', [
    { city: 'Oslo', price: 2 },
    { city: 'Oslo', price: 3 },
    { city: 'Bergen', price: 5 },
  ]);
  const h = encodeURIComponent(JSON.stringify({ $groupby: ['city'], $aggregate: ['SUM:price', 'COUNT:'] }));
  expect((await call(`/rest/sold?h=${h}`)).body).toEqual([
    { groupkey: ['Bergen'], 'SUM price': 5, 'COUNT ': 1 },
    { groupkey: ['Oslo'], 'SUM price': 5, 'COUNT ': 2 },
  ]);
});

test('a bulk POST is all or nothing, and N documents are N events with N ids in a row', async () => {
  const refused = await call('/rest/atomic', { method: 'POST', body: [{ n: 1 }, { $bad: 1 }] });
  expect([refused.status, (await call('/rest/atomic')).body]).toEqual([422, []]);
  const stream = await openSse(`${server.url}/realtime?apikey=${server.key}`);
  await stream.waitFor('ping');
  const { headers } = await call('/rest/atomic', { method: 'POST', body: [{ n: 1 }, { n: 2 }, { n: 3 }] });
  const last = Number(headers.get('x-event-id'));
  await stream.waitFor(({ id, event }) => event === 'post' && id === String(last));
  const ids = stream.messages.filter(({ event }) => event === 'post').map(({ id }) => Number(id));
  expect(ids).toEqual([last - 2, last - 1, last]);
  stream.close();
});

test('a bulk DELETE is one event for each document, with a list of one id', async () => {
  const ids = (await server.create('cleared', [{}, {}])).map(({ _id }) => _id);
  const stream = await openSse(`${server.url}/realtime?apikey=${server.key}`);
  await stream.waitFor('ping');
  await call('/rest/cleared/*', { method: 'DELETE', body: ids });
  await stream.waitFor(({ event, data }) => event === 'delete' && data.includes(ids[1] ?? '?'));
  expect(stream.json('delete')).toEqual(ids.map((id) => ({ event: 'delete', collection: 'cleared', data: [id] })));
  stream.close();
});

test('PUT merges, and replaces the whole document with ?replace=true', async () => {
  const { _id } = await server.create('replaced', { a: 1, b: 2 });
  await call(`/rest/replaced/${_id}`, { method: 'PUT', body: { b: 3 } });
  expect((await call(`/rest/replaced/${_id}`)).body).toEqual({ _id, a: 1, b: 3 });
  await call(`/rest/replaced/${_id}?replace=true`, { method: 'PUT', body: { c: 4 } });
  expect((await call(`/rest/replaced/${_id}`)).body).toEqual({ _id, c: 4 });
});

test('X-Pagination is the object of totals; without totals=true it has total only where the end was seen', async () => {
  await server.create('pages', [{}, {}, {}]);
  const pagination = async (query: string) =>
    JSON.parse((await call(`/rest/pages?${query}`)).headers.get('x-pagination') ?? 'null');
  expect(await pagination('totals=true&max=2')).toEqual({ total: 3, count: 2, skip: 0, max: 2 });
  expect(((await call('/rest/pages?totals=true&max=2')).body as { totals: object }).totals).toEqual({
    total: 3,
    count: 2,
    skip: 0,
    max: 2,
  });
  expect(await pagination('max=2')).toEqual({ count: 2, skip: 0, max: 2 });
  expect(await pagination('max=5')).toEqual({ total: 3, count: 3, skip: 0, max: 5 });
});

test('a revoked or wrong key is 401', async () => {
  expect((await call('/rest/company', { key: 'wrong' })).status).toBe(401);
});

test('a change of many by a query is told as one event for each', async () => {
  const documents: Document[] = await server.create('marked', [{ n: 1 }, { n: 2 }]);
  const stream = await openSse(`${server.url}/realtime?apikey=${server.key}`);
  await stream.waitFor('ping');
  const path = `/rest/marked/*?q=${encodeURIComponent('{"n":{"$gt":0}}')}`;
  expect(await call(path, { method: 'PATCH', body: { seen: true } })).toMatchObject({
    status: 200,
    body: { count: 2 },
  });
  await stream.waitFor(() => stream.json('put').length === documents.length);
  const changed = stream.json('put') as { data: string }[];
  expect(changed.map(({ data }) => data).sort()).toEqual(documents.map(({ _id }) => _id).sort());
  stream.close();
});
