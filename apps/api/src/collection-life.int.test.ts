import { emptyingLineSchema, renamedCollectionSchema } from '@tidewire/protocol/admin-api';
import { eventually } from '@tidewire/testing/eventually';
import { createTestDatabase } from '@tidewire/testing/test-database';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestApi, type TestApi } from './api.fixture.js';

let api: TestApi;
let cookie: string;
let fullKey: string;

beforeAll(async () => {
  const { address } = await createTestDatabase();
  api = await startTestApi(address);
  const made = await fetch(`${api.url}/api/setup`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ token: api.setupToken, email: 'ada@example.org', password: 'correct horse battery' }),
  });
  cookie = made.headers.getSetCookie()[0]?.split(';')[0] ?? '';
  fullKey = (await api.createKey({ rest: ['*:*'], listen: ['*:*'] })).key;
});
afterAll(async () => {
  expect(api.accidents).toEqual([]);
  await api.close();
});

function admin(path: string, method = 'GET', body?: unknown, sent = cookie): Promise<Response> {
  return fetch(`${api.url}/api/databases/${path}`, {
    method,
    headers: { ...(sent === '' ? {} : { cookie: sent }), 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
}

async function rest(path: string, method = 'GET', body?: unknown, key = fullKey) {
  const response = await fetch(`${api.url}/${path}`, {
    method,
    headers: { 'x-apikey': key, ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  return { status: response.status, eventId: Number(response.headers.get('x-event-id')), body: JSON.parse(text), text };
}

async function fill(collection: string, count: number): Promise<number> {
  let eventId = 0;
  for (let left = count; left > 0; left -= 5_000) {
    const documents = Array.from({ length: Math.min(left, 5_000) }, (_, n) => ({ n }));
    ({ eventId } = await rest(`rest/${collection}`, 'POST', documents));
  }
  return eventId;
}

async function count(collection: string): Promise<number> {
  return (await rest(`rest/${collection}?totals=true&max=0`)).body.totals.total;
}

async function bodyOf<T>(response: Response): Promise<T> {
  return (await response.json()) as T;
}

const problemOf = async (response: Response) => ({
  status: response.status,
  ...(await bodyOf<{ code: string; detail: string }>(response)),
});

/** The names of the collections that there are. */
async function names(): Promise<string[]> {
  const { data } = await bodyOf<{ data: { name: string }[] }>(await admin('default/collections'));
  return data.map(({ name }) => name);
}

/** The lines of an answer with progress; each is checked against the schema. */
async function linesOf(response: Response) {
  expect([response.status, response.headers.get('content-type')]).toEqual([200, 'application/x-ndjson; charset=utf-8']);
  const lines = (await response.text()).trimEnd().split('\n');
  return lines.map((line) => emptyingLineSchema.parse(JSON.parse(line)));
}

describe('PATCH of a collection', () => {
  it('gives it another name, tells which keys, roles, rules and schemas name the old one, and what the event is', async () => {
    await rest('rest/company', 'POST', { n: 1 });
    const named = await api.createKey({ rest: ['GET:company'], listen: ['POST:company'] });
    const listening = await api.createKey({ listen: ['PUT:company'] });
    const revoked = await api.createKey({ rest: ['GET:company'] });
    await api.apiKeys.revoke(api.databaseId, revoked.id);
    await api.createKey({ rest: ['GET:companyx', '*:*'], listen: ['PUBLISH:company'] });
    const role = { rest: [], listen: [], publish: [], rules: {} };
    const grants = { rest: ['GET:company', 'GET:orders', '*:*'], listen: ['PUT:company', 'PUBLISH:company'] };
    await api.roles.create(api.databaseId, { ...role, ...grants, name: 'granting' });
    await api.roles.create(api.databaseId, {
      ...role,
      rest: ['*:*'],
      name: 'ruled',
      rules: { company: { q: { n: 1 } } },
    });
    await api.roles.create(api.databaseId, { ...role, rest: ['*:*'], name: 'other', rules: { companyx: {} } });
    await rest('rest/orders', 'POST', {});
    const properties = {
      customer: { fieldType: 'relation', collection: 'company' },
      notes: { fieldType: 'child', collection: 'company' },
      other: { fieldType: 'relation', collection: 'orders' },
    };
    const put = await admin('default/collections/orders/schema', 'PUT', { type: 'object', properties });
    expect(put.status).toBe(200);
    const response = await admin('default/collections/company', 'PATCH', { name: 'firm' });
    const answer = renamedCollectionSchema.parse(await response.json());
    expect([response.status, answer.name]).toEqual([200, 'firm']);
    expect(answer.keys.map(({ id }) => id).sort()).toEqual([named.id, listening.id].sort());
    expect(answer.roles).toEqual([
      { name: 'granting', grants: ['GET:company', 'PUT:company'], hasRule: false },
      { name: 'ruled', grants: [], hasRule: true },
    ]);
    expect(answer.schemas).toEqual([{ collection: 'orders', fields: ['customer', 'notes'] }]);
    expect(response.headers.get('x-event-id')).toBe(String(answer.eventId));
    expect((await rest('rest/firm')).body).toMatchObject([{ n: 1 }]);
    expect((await rest('rest/company')).body).toEqual([]);
    expect((await rest('rest/firm', 'GET', undefined, named.key)).status).toBe(403);

    const log = await admin(`default/events?since=${answer.eventId - 1}`);
    expect((await bodyOf<{ data: unknown[] }>(log)).data).toMatchObject(
      [{ type: 'rename', collection: 'company', name: 'firm', documentId: null, data: null, actor: /^admin:/ }].map(
        ({ actor, ...event }) => ({ ...event, actor: expect.stringMatching(actor) }),
      ),
    );
    const poll = async (key: string) =>
      (await rest(`events?since=${answer.eventId - 1}`, 'GET', undefined, key)).body.data;
    const heard = { id: answer.eventId, type: 'rename', event: 'rename', collection: 'company', data: 'firm' };
    expect(await poll(listening.key)).toMatchObject([heard]);
    expect(await poll((await api.createKey({ listen: ['PUT:firm'] })).key)).toEqual([]);
  });

  it('is refused, and nothing is changed, for a name that is taken or none, a collection that is not there, and anybody but an admin', async () => {
    await fill('here', 1);
    await fill('there', 1);
    const path = 'default/collections/here';
    expect(await problemOf(await admin(path, 'PATCH', { name: 'there' }))).toMatchObject({
      status: 409,
      code: 'conflict',
    });
    expect(await problemOf(await admin(path, 'PATCH', { name: 'here' }))).toMatchObject({ status: 409 });
    for (const body of [{ name: '1 2' }, { name: 5 }, {}, { name: 'ok', other: 1 }, []])
      expect(await problemOf(await admin(path, 'PATCH', body))).toMatchObject({
        status: 422,
        code: 'validation_failed',
      });
    expect((await admin('default/collections/nobody', 'PATCH', { name: 'x' })).status).toBe(404);
    expect((await admin('default/collections/a%20b', 'PATCH', { name: 'x' })).status).toBe(404);
    expect((await admin('nowhere/collections/here', 'PATCH', { name: 'x' })).status).toBe(404);
    expect((await admin(path, 'PATCH', { name: 'x' }, '')).status).toBe(401);
    expect([await count('here'), await count('there')]).toEqual([1, 1]);
  });
});

describe('truncating and dropping', { timeout: 60_000 }, () => {
  it('want the name of the collection typed again, an admin, and a collection that is there', async () => {
    await fill('guarded', 2);
    for (const [path, method] of [
      ['default/collections/guarded', 'DELETE'],
      ['default/collections/guarded/truncate', 'POST'],
    ] as const) {
      for (const query of ['', '?confirm=', '?confirm=true', '?confirm=Guarded', '?confirm=guarded&x=1']) {
        const problem = await problemOf(await admin(`${path}${query}`, method));
        expect([query, problem.status, problem.code]).toEqual([query, 400, 'bad_request']);
      }
      expect((await admin(`${path}?confirm=guarded`, method, undefined, '')).status).toBe(401);
      const elsewhere = path.replace('guarded', 'nobody');
      expect((await admin(`${elsewhere}?confirm=nobody`, method)).status).toBe(404);
    }
    expect(await count('guarded')).toBe(2);
    expect((await admin('default/collections/guarded/truncate', 'GET')).headers.get('allow')).toBe('POST');
  });

  it('tell how far they are, line by line, and how it ended in the last one', async () => {
    const head = await fill('large', 12_000);
    const truncated = await linesOf(await admin('default/collections/large/truncate?confirm=large', 'POST'));
    const counts = truncated.map(({ deleted }) => deleted);
    expect(counts).toEqual(counts.toSorted((a, b) => a - b));
    expect(truncated.length).toBeGreaterThan(4);
    expect(truncated.map(({ total }) => total)).toEqual(truncated.map(() => 12_000));
    expect(truncated.map(({ done }) => done)).toEqual([...truncated.slice(1).map(() => undefined), true]);
    expect([counts[0], counts.at(-1)]).toEqual([0, 12_000]);
    expect(truncated.at(-1)?.eventId).toBe(head + 12_000);
    expect((await rest(`rest/large?asof=${head}&totals=true&max=0`)).body.totals.total).toBe(12_000);
    await fill('large', 3);
    const dropped = await linesOf(await admin('default/collections/large?confirm=large', 'DELETE'));
    expect(dropped.at(-1)).toEqual({ done: true, deleted: 3, total: 3, eventId: head + 12_000 + 3 + 4 });
    expect(await names()).not.toContain('large');
    const polled = await rest(`events?since=${head + 12_000 + 6}`);
    expect(polled.body.data).toMatchObject([{ type: 'drop', event: 'drop', collection: 'large', data: null }]);
    const described = await bodyOf<{ paths: Record<string, { delete?: unknown }> }>(
      await fetch(`${api.url}/openapi.json`),
    );
    expect(described.paths['/api/databases/{database}/collections/{collection}']?.delete).toBeDefined();
  });

  it('go on to their end when the client goes away', async () => {
    await fill('left', 3_000);
    const abort = new AbortController();
    const response = await fetch(`${api.url}/api/databases/default/collections/left?confirm=left`, {
      method: 'DELETE',
      headers: { cookie },
      signal: abort.signal,
    });
    await response.body?.getReader().read();
    abort.abort();
    await eventually(async () => expect(await names()).not.toContain('left'), { timeoutMs: 30_000 });
  });

  it('say in the last line why they ended early', async () => {
    await fill('moving', 30_000);
    const response = await admin('default/collections/moving/truncate?confirm=moving', 'POST');
    const [renamed, lines] = await Promise.all([
      admin('default/collections/moving', 'PATCH', { name: 'moved' }),
      linesOf(response),
    ]);
    expect(renamed.status).toBe(200);
    const last = lines.at(-1);
    expect(last).toMatchObject({ done: false, total: 30_000, problem: { code: 'conflict' } });
    expect(await count('moved')).toBe(30_000 - (last?.deleted ?? 0));
  });
});

describe('asof', () => {
  it('reads a list with the parameters of every list, and a document like its twin', async () => {
    const made = await rest('rest/past', 'POST', [
      { n: 1, city: 'Oslo' },
      { n: 2, city: 'Lund' },
      { n: 3, city: 'Oslo' },
    ]);
    const id = made.body[0]._id;
    await rest(`rest/past/${id}`, 'PUT', { n: 10 });
    await rest('rest/past/*?q={}&confirm=true', 'DELETE');
    const at = made.eventId;
    const q = encodeURIComponent('{"city":"Oslo"}');
    expect((await rest(`rest/past?asof=${at}&q=${q}&sort=n&dir=-1`)).body).toMatchObject([{ n: 3 }, { n: 1 }]);
    expect((await rest(`rest/past?asof=${at}&groupby=city&aggregate=SUM:n`)).body).toEqual([
      { groupkey: ['Lund'], 'SUM n': 2 },
      { groupkey: ['Oslo'], 'SUM n': 4 },
    ]);
    expect((await rest('rest/past')).body).toEqual([]);
    const first = await fetch(`${api.url}/rest/past?asof=${at}&max=2`, { headers: { 'x-apikey': fullKey } });
    const next = first.headers.get('link')?.match(/<([^>]*)>/)?.[1] ?? '';
    expect(next).toContain(`asof=${at}`);
    expect((await rest(next.slice(1))).body).toMatchObject([{ n: 3 }]);
    for (const query of ['', 'metafields=true', 'flatten=true']) {
      const asked = await rest(`rest/past/${id}?asof=${at + 1}&${query}`);
      expect(asked.body).toMatchObject({ n: 10 });
      expect((await rest(`rest/past/${id}/asof/${at + 1}?${query}`)).text).toBe(asked.text);
    }
    expect((await rest(`rest/past/${id}?asof=${at - 3}`)).status).toBe(404);
    expect((await rest(`api/databases/default/collections/past/documents?asof=${at}`)).status).toBe(401);
    const shown = await bodyOf<{ totals: { total: number } }>(
      await admin(`default/collections/past/documents?asof=${at}`),
    );
    expect(shown.totals.total).toBe(3);
  });

  it('is refused where the log does not reach, with the range, and for what is no number', async () => {
    const { eventId: head } = await rest('rest/edge', 'POST', { n: 1 });
    for (const path of [`rest/edge?asof=${head + 1}`, `rest/edge/000000000000000000000000?asof=${head + 1}`]) {
      const { status, body } = await rest(path);
      expect([status, body.errors[0].field]).toEqual([400, 'asof']);
      expect(body.detail).toContain(`an event from 0 to ${head}`);
    }
    for (const value of ['', 'x', '-1', '1.5', '99999999999999999999'])
      expect((await rest(`rest/edge?asof=${value}`)).status).toBe(400);
    expect((await rest(`rest/edge?asof=${head}&asof=${head}`)).status).toBe(400);
    expect((await rest(`rest/edge/000000000000000000000000/asof/${head}?asof=1`)).status).toBe(400);
    const { key } = await api.createKey({ rest: ['GET:other'] });
    expect((await rest(`rest/edge?asof=${head}`, 'GET', undefined, key)).status).toBe(403);
  });
});
