import { createTestDatabase } from '@tidewire/testing/test-database';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startTestApi, type TestApi } from './api.fixture.js';

type Version = { eventId: number; type: string; at: string; document: Record<string, unknown> | null };
type Answer = { status: number; eventId: number; body: Record<string, unknown> };

let api: TestApi;
let fullKey: string;

beforeAll(async () => {
  const { address } = await createTestDatabase();
  api = await startTestApi(address);
  fullKey = (await api.createKey({ rest: ['*:*'] })).key;
});
afterAll(async () => {
  expect(api.accidents).toEqual([]);
  await api.close();
});

async function call(path: string, method = 'GET', body?: unknown, key = fullKey): Promise<Answer> {
  const response = await fetch(`${api.url}/rest/${path}`, {
    method,
    headers: { 'x-apikey': key, ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const answer = (await response.json()) as Record<string, unknown>;
  return { status: response.status, eventId: Number(response.headers.get('x-event-id')), body: answer };
}

/** A document that is made, changed twice and deleted, with other events between. */
async function live(collection: string): Promise<{ id: string; events: number[] }> {
  const made = await call(collection, 'POST', { n: 0, keep: 'x' });
  const id = String(made.body._id);
  await call('between', 'POST', {});
  const first = await call(`${collection}/${id}`, 'PUT', { n: 1 });
  const second = await call(`${collection}/${id}`, 'PATCH', { n: 2 });
  await call('between', 'POST', {});
  const gone = await call(`${collection}/${id}`, 'DELETE');
  return { id, events: [made, first, second, gone].map(({ eventId }) => eventId) };
}

it('lists every version of a document, the newest first, page by page', async () => {
  const { id, events } = await live('versions');
  const { body } = await call(`versions/${id}/history`);
  const data = body.data as Version[];
  expect(data.map(({ eventId }) => eventId)).toEqual(events.toReversed());
  expect(data.map(({ type, document }) => [type, document?.n, document?._version])).toEqual([
    ['delete', undefined, undefined],
    ['put', 2, 2],
    ['put', 1, 1],
    ['post', 0, 0],
  ]);
  expect(JSON.stringify(body)).not.toContain('actor');
  const page = await call(`versions/${id}/history?max=2`);
  expect(page.body.next).toBe(events[2]);
  const rest = await call(`versions/${id}/history?max=10&before=${page.body.next}`);
  expect((rest.body.data as Version[]).map(({ eventId }) => eventId)).toEqual([events[1], events[0]]);
  expect(await call(`versions/${id}/history?before=${events[0]}`)).toMatchObject({
    status: 200,
    body: { data: [], next: null },
  });
});

it('answers the document as it was after each event of its database', async () => {
  const { id, events } = await live('past');
  const [made = 0, first = 0, second = 0, gone = 0] = events;
  const at = async (eventId: number) => {
    const { status, body } = await call(`past/${id}/asof/${eventId}`);
    return status === 200 ? body : status;
  };
  expect(await at(made - 1)).toBe(404);
  expect(await at(made)).toEqual({ _id: id, n: 0, keep: 'x' });
  expect(await at(first - 1)).toEqual({ _id: id, n: 0, keep: 'x' });
  expect(await at(first)).toEqual({ _id: id, n: 1, keep: 'x' });
  expect(await at(second)).toEqual({ _id: id, n: 2, keep: 'x' });
  expect(await at(gone - 1)).toEqual({ _id: id, n: 2, keep: 'x' });
  expect(await at(gone)).toBe(404);
  const { body } = await call(`past/${id}/asof/${first}?metafields=true`);
  expect(body).toMatchObject({ _version: 1, _changedby: 'api' });
});

it('answers from what is left when the log has forgotten the beginning, and says how far it reaches', async () => {
  const { address } = await createTestDatabase();
  const other = await startTestApi(address);
  const { key } = await other.createKey({ rest: ['*:*'] });
  const send = async (path: string, method = 'GET', body?: unknown) => {
    const response = await fetch(`${other.url}/rest/${path}`, {
      method,
      headers: { 'x-apikey': key, ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    return { status: response.status, body: (await response.json()) as Record<string, unknown> };
  };
  const still = String((await send('short', 'POST', { n: 'still' })).body._id);
  const changed = String((await send('short', 'POST', { n: 'old' })).body._id);
  await send('short', 'POST', {});
  await send(`short/${changed}`, 'PUT', { n: 'new' });
  await other.connections.lanePool.query('DELETE FROM events WHERE id < 4');
  await other.connections.pool.query('UPDATE log_heads SET oldest = 4');
  expect((await send(`short/${still}/asof/3`)).body).toEqual({ _id: still, n: 'still' });
  expect((await send(`short/${changed}/asof/3`)).body).toEqual({ _id: changed, n: 'old' });
  expect((await send(`short/${changed}/asof/4`)).body).toEqual({ _id: changed, n: 'new' });
  expect(await send(`short/${still}/history`)).toEqual({ status: 200, body: { data: [], next: null, oldest: 4 } });
  expect((await send(`short/${changed}/history`)).body).toMatchObject({
    data: [{ eventId: 4, type: 'put' }],
    oldest: 4,
  });
  for (const eventId of [2, 5]) {
    const { status, body } = await send(`short/${still}/asof/${eventId}`);
    expect([status, body.detail]).toEqual([400, expect.stringContaining('from 3 to 4')]);
  }
  expect((await send('short/000000000000000000000000/asof/4')).status).toBe(404);
  expect((await send('short/000000000000000000000000/history')).status).toBe(404);
  await other.close();
});

it('needs GET on the collection and a well-formed id and event', async () => {
  const { id } = await live('guarded');
  const { key } = await api.createKey({ rest: ['GET:other', 'PUT:guarded'] });
  expect((await call(`guarded/${id}/history`, 'GET', undefined, key)).status).toBe(403);
  expect((await call(`guarded/${id}/asof/1`, 'GET', undefined, key)).status).toBe(403);
  expect((await call('guarded/nonsense/history')).status).toBe(400);
  expect((await call(`guarded/${id}/asof/x`)).status).toBe(400);
  expect((await call(`guarded/${id}/history?max=0`)).status).toBe(400);
  expect((await call(`nobody/${id}/history`)).status).toBe(404);
  expect((await call(`guarded/${id}/history`, 'DELETE')).status).toBe(405);
});
