/** Children of documents: `/rest/{collection}/{id}/{field}`, over real HTTP and a real Postgres. */
import { eventually } from '@tidewire/testing/eventually';
import { createTestDatabase } from '@tidewire/testing/test-database';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestApi, type TestApi } from './api.fixture.js';
import { clientOf, type Fields, setSchema } from './relations.fixture.js';

let api: TestApi;
let all: ReturnType<typeof clientOf>;
let ada: string;
let grace: string;
const nobody = '0123456789abcdef01234567';

beforeAll(async () => {
  const { address } = await createTestDatabase();
  api = await startTestApi(address);
  const { key } = await api.createKey({ rest: ['*:*'] });
  all = clientOf(api, key);
  await setSchema(api, 'contacts', {
    activities: { fieldType: 'child', collection: 'activities' },
    'odd field': { fieldType: 'child', collection: 'activities' },
  });
  [ada = '', grace = ''] = await all.create('contacts', [{ name: 'Ada' }, { name: 'Grace' }]);
});
afterAll(async () => {
  expect(api.accidents).toEqual([]);
  await api.close();
});

const linkTo = (id: string, field = 'activities') => ({
  _parent_id: id,
  _parent_def: 'contacts',
  _parent_field: field,
});

async function createParent(name = 'x'): Promise<string> {
  const [id = ''] = await all.create('contacts', [{ name }]);
  return id;
}

describe('POST /rest/C/ID/F', () => {
  it('makes an ordinary document of the other collection that names its parent, with its event and address', async () => {
    const { status, headers, body } = await all.call(`/rest/contacts/${ada}/activities`, {
      method: 'POST',
      json: { text: 'called' },
    });
    const { _id: id } = body as { _id: string };
    expect([status, body]).toMatchObject([201, { text: 'called', ...linkTo(ada), _version: 0, _createdby: 'api' }]);
    expect(headers.get('location')).toBe(`/rest/contacts/${ada}/activities/${id}`);
    expect(headers.get('etag')).toMatch(/^"0-/);
    expect(await all.get(String(headers.get('location')))).toEqual({ _id: id, text: 'called', ...linkTo(ada) });
    expect(await all.get(`/rest/activities/${id}`)).toEqual({ _id: id, text: 'called', ...linkTo(ada) });
    const eventId = Number(headers.get('x-event-id'));
    const { rows } = await api.connections.pool.query(
      'SELECT type::text, collection, document_id AS id, after FROM events WHERE database_id = $1 AND id = $2',
      [api.databaseId, eventId],
    );
    expect(rows).toEqual([{ type: 'post', collection: 'activities', id, after: expect.objectContaining(linkTo(ada)) }]);
  });

  it('makes all of an array or none', async () => {
    const parent = await createParent();
    const path = `/rest/contacts/${parent}/activities`;
    const refused = await all.call(path, { method: 'POST', json: [{ n: 1 }, { $n: 2 }] });
    expect([refused.status, refused.body]).toMatchObject([422, { errors: [{ field: '/1/$n' }] }]);
    expect(await all.get(path)).toEqual([]);
    const { status, body } = await all.call(path, { method: 'POST', json: [{ n: 1 }, { n: 2 }] });
    expect([status, body]).toMatchObject([
      201,
      [
        { n: 1, ...linkTo(parent) },
        { n: 2, ...linkTo(parent) },
      ],
    ]);
    expect(await all.get(path)).toHaveLength(2);
  });

  it('takes a field whose name must be encoded in a path', async () => {
    const path = `/rest/contacts/${ada}/odd%20field`;
    const { status, headers } = await all.call(path, { method: 'POST', json: { n: 1 } });
    expect(status).toBe(201);
    expect(headers.get('location')).toMatch(new RegExp(`^${path}/[0-9a-f]{24}$`));
    expect(await all.get(path)).toMatchObject([{ n: 1, ...linkTo(ada, 'odd field') }]);
  });

  it('answers 404 for a parent that is not there, 400 for what is no id, 404 for a field without children', async () => {
    const post = (path: string) => all.call(path, { method: 'POST', json: { n: 1 } });
    expect((await post(`/rest/contacts/${nobody}/activities`)).status).toBe(404);
    expect((await post('/rest/contacts/x/activities')).status).toBe(400);
    expect((await post(`/rest/contacts/${ada}/name`)).status).toBe(404);
    expect((await post(`/rest/nothing/${ada}/activities`)).status).toBe(404);
  });

  it('takes Idempotency-Key and Prefer as everywhere, a key once for each parent', async () => {
    const [one, other] = [await createParent(), await createParent()];
    const send = (parent: string) =>
      all.call(`/rest/contacts/${parent}/activities`, {
        method: 'POST',
        json: { n: 1 },
        headers: { 'idempotency-key': `child-${one}`, prefer: 'return=minimal' },
      });
    const answers = [await send(one), await send(one)];
    expect(answers.map(({ status, text }) => [status, text])).toEqual([
      [201, ''],
      [201, ''],
    ]);
    expect(answers[0]?.headers.get('location')).toBe(answers[1]?.headers.get('location'));
    expect(await all.get(`/rest/contacts/${one}/activities`)).toHaveLength(1);
    expect((await send(other)).status).toBe(422);
  });
});

describe('GET', () => {
  it('lists the children of one parent and field alone, with all parameters of a list', async () => {
    const parent = await createParent();
    const path = `/rest/contacts/${parent}/activities`;
    await all.create(`contacts/${parent}/activities`, [{ n: 3 }, { n: 1 }, { n: 2, kind: 'call' }]);
    await all.create(`contacts/${grace}/activities`, [{ n: 4 }]);
    await all.create(`contacts/${parent}/odd%20field`, [{ n: 5 }]);
    await all.create('activities', [{ n: 6 }]);
    const numbers = async (parameters: Record<string, string | object>) =>
      (await all.get<Fields[]>(path, parameters)).map(({ n }) => n);
    expect(await numbers({})).toEqual([3, 1, 2]);
    expect(await numbers({ sort: 'n' })).toEqual([1, 2, 3]);
    expect(await numbers({ q: { n: { $gt: 1 } }, sort: 'n', dir: '-1' })).toEqual([3, 2]);
    expect(await numbers({ filter: 'call' })).toEqual([2]);
    expect(await numbers({ max: '1', skip: '1' })).toEqual([1]);
    expect(await all.get(path, { totals: 'true', max: '2' })).toMatchObject({ totals: { total: 3, count: 2 } });
    expect(await all.get(path, { aggregate: 'SUM:n' })).toMatchObject({ 'SUM n': 6 });
    const { headers } = await all.call(`${path}?max=2`);
    expect(await numbers({ max: '2', cursor: String(headers.get('x-next-cursor')) })).toEqual([2]);
    const { text } = await all.call(`${path}.csv?${new URLSearchParams({ h: '{"$fields":{"n":1,"_id":0}}' })}`);
    expect(text).toBe('n\r\n3\r\n1\r\n2\r\n');
    expect((await all.call(`${path}?nonsense=1`)).status).toBe(400);
  });

  it('answers 404 for a missing parent, and for a child of another parent as for a missing one', async () => {
    expect((await all.call(`/rest/contacts/${nobody}/activities`)).status).toBe(404);
    const [id = ''] = await all.create(`contacts/${ada}/activities`, [{ n: 1 }]);
    const [stray = ''] = await all.create('activities', [{ n: 1 }]);
    const missing = await all.call(`/rest/contacts/${grace}/activities/${nobody}`);
    for (const [method, path] of [
      ['GET', `/rest/contacts/${grace}/activities/${id}`],
      ['PUT', `/rest/contacts/${grace}/activities/${id}`],
      ['PATCH', `/rest/contacts/${grace}/activities/${id}`],
      ['DELETE', `/rest/contacts/${grace}/activities/${id}`],
      ['GET', `/rest/contacts/${ada}/odd%20field/${id}`],
      ['DELETE', `/rest/contacts/${ada}/activities/${stray}`],
    ] as const) {
      const json = method === 'PUT' || method === 'PATCH' ? { json: { n: 9 } } : {};
      const { status, body } = await all.call(path, { method, ...json });
      expect([method, path, status]).toEqual([method, path, 404]);
      expect((body as { detail: string }).detail.replace(/[0-9a-f]{24}/, '')).toBe(
        (missing.body as { detail: string }).detail.replace(/[0-9a-f]{24}/, ''),
      );
    }
    expect(await all.get(`/rest/activities/${id}`)).toMatchObject({ n: 1 });
    expect((await all.call(`/rest/contacts/${ada}/activities/x`)).status).toBe(400);
  });
});

describe('PUT, PATCH, DELETE', () => {
  it('change a child as any document, with If-Match and by override', async () => {
    const [id = ''] = await all.create(`contacts/${ada}/activities`, [{ n: 1 }]);
    const path = `/rest/contacts/${ada}/activities/${id}`;
    const tag = String((await all.call(path)).headers.get('etag'));
    const put = await all.call(path, { method: 'PUT', json: { n: 2 }, headers: { 'if-match': tag } });
    expect([put.status, put.body]).toMatchObject([200, { n: 2, _version: 1, ...linkTo(ada) }]);
    expect((await all.call(path, { method: 'PUT', json: { n: 3 }, headers: { 'if-match': tag } })).status).toBe(412);
    expect((await all.call(path, { method: 'DELETE', headers: { 'if-match': tag } })).status).toBe(412);
    const inc = { method: 'POST', json: { $inc: { n: 5 } }, headers: { 'x-http-method-override': 'PATCH' } };
    expect((await all.call(path, inc)).body).toMatchObject({ n: 7, ...linkTo(ada) });
    expect((await all.call(path, { method: 'DELETE' })).body).toEqual({ result: [id] });
    expect((await all.call(path)).status).toBe(404);
  });

  it('refuse methods that a list or a child does not have', async () => {
    expect((await all.call(`/rest/contacts/${ada}/activities`, { method: 'DELETE' })).status).toBe(405);
    expect((await all.call(`/rest/contacts/${ada}/activities/${nobody}`, { method: 'POST', json: {} })).status).toBe(
      405,
    );
  });
});

describe('the link to the parent', () => {
  it('is not set, changed or removed by any body', async () => {
    const lie = linkTo(grace, 'lie');
    const [plain = ''] = await all.create('activities', [{ n: 1, ...lie }]);
    expect(await all.get(`/rest/activities/${plain}`)).toEqual({ _id: plain, n: 1 });
    const [id = ''] = await all.create(`contacts/${ada}/activities`, [{ n: 1, ...lie }]);
    const path = `/rest/activities/${id}`;
    const type = (name: string) => ({ 'content-type': `application/${name}+json` });
    const changes: [string, unknown, object?][] = [
      ['PUT', { n: 2, ...lie }],
      ['PATCH', { n: 3, ...lie }],
      ['PATCH', { n: 4, _parent_id: null }, type('merge-patch')],
      ['PATCH', [{ op: 'add', path: '', value: { n: 5 } }], type('json-patch')],
      ['PATCH', [{ op: 'add', path: '/n', value: 6 }], type('json-patch')],
    ];
    for (const [method, json, headers = {}] of changes) {
      const { status, body, text } = await all.call(path, { method, json, headers: headers as Record<string, string> });
      expect([status, text]).toEqual([200, expect.any(String)]);
      expect(body).toMatchObject(linkTo(ada));
    }
    const replaced = await all.call(`${path}?replace=true`, { method: 'PUT', json: { m: 1, ...lie } });
    expect(replaced.body).toMatchObject({ m: 1, ...linkTo(ada) });
    expect(replaced.body).not.toHaveProperty('n');
    for (const [json, headers] of [
      [{ $set: { _parent_id: grace } }, {}],
      [{ $unset: { _parent_id: '' } }, {}],
      [[{ op: 'remove', path: '/_parent_id' }], type('json-patch')],
      [[{ op: 'add', path: '/_parent_id', value: grace }], type('json-patch')],
    ] as const)
      expect((await all.call(path, { method: 'PATCH', json, headers })).status).toBe(422);
    const many = await all.call(`/rest/activities/*?${new URLSearchParams({ q: `{"_id":"${id}"}` })}`, {
      method: 'PATCH',
      json: { k: 1, ...lie },
    });
    expect(many.status).toBe(200);
    expect(await all.get(path)).toEqual({ _id: id, m: 1, k: 1, ...linkTo(ada) });
  });

  it('can be asked for in a query', async () => {
    const parent = await createParent();
    const [id = ''] = await all.create(`contacts/${parent}/activities`, [{ n: 1 }]);
    expect(await all.get('/rest/activities', { q: { _parent_id: parent } })).toMatchObject([{ _id: id }]);
  });

  it('stays when the parent is deleted: the child is an ordinary document, and no longer below the parent', async () => {
    const parent = await createParent();
    const [id = ''] = await all.create(`contacts/${parent}/activities`, [{ n: 1 }]);
    await all.call(`/rest/contacts/${parent}`, { method: 'DELETE' });
    for (const method of ['GET', 'DELETE']) {
      const { status } = await all.call(`/rest/contacts/${parent}/activities/${id}`, { method });
      expect([method, status]).toEqual([method, 404]);
    }
    expect(await all.get(`/rest/activities/${id}`)).toMatchObject(linkTo(parent));
  });
});

describe('grants', () => {
  it('ask for the method on the children’s collection and for GET on the parent’s', async () => {
    const [id = ''] = await all.create(`contacts/${ada}/activities`, [{ n: 1 }]);
    const list = `/rest/contacts/${ada}/activities`;
    const requests = [
      ['GET', list],
      ['POST', list],
      ['GET', `${list}/${id}`],
      ['PUT', `${list}/${id}`],
      ['PATCH', `${list}/${id}`],
      ['DELETE', `${list}/${id}`],
    ] as const;
    const statuses = async (rest: string[]) => {
      const { key } = await api.createKey({ rest });
      const client = clientOf(api, key);
      const found = [];
      for (const [method, path] of requests) {
        const json = method === 'GET' || method === 'DELETE' ? {} : { json: { n: 1 } };
        found.push((await client.call(path, { method, ...json })).status);
      }
      return found;
    };
    expect(await statuses(['*:contacts'])).toEqual([403, 403, 403, 403, 403, 403]);
    expect(await statuses(['*:activities'])).toEqual([403, 403, 403, 403, 403, 403]);
    expect(await statuses(['POST:contacts', 'PUT:contacts', '*:activities'])).toEqual([403, 403, 403, 403, 403, 403]);
    expect(await statuses(['GET:contacts', 'POST:activities'])).toEqual([403, 201, 403, 403, 403, 403]);
    expect(await statuses(['GET:contacts', '*:activities'])).toEqual([200, 201, 200, 200, 200, 200]);
    expect((await fetch(api.url + list)).status).toBe(401);
  });
});

describe('fetchchildren', () => {
  it('puts the children under their field, in lists and alone, and only for keys that may GET them', async () => {
    const parents = await all.create('contacts', [{ name: 'p' }, { name: 'p' }]);
    const [first = '', second = ''] = parents;
    const ids = await all.create(`contacts/${first}/activities`, [{ n: 1 }, { n: 2 }]);
    const activities = ids.map((_id, index) => ({ _id, n: index + 1, ...linkTo(first) }));
    const whole = { _id: first, name: 'p', activities, 'odd field': [] };
    expect(await all.get(`/rest/contacts/${first}`, { fetchchildren: 'true' })).toEqual(whole);
    const list = { fetchchildren: 'true', q: { _id: { $in: parents } } };
    const empty = { _id: second, name: 'p', activities: [], 'odd field': [] };
    expect(await all.get('/rest/contacts', list)).toEqual([whole, empty]);
    expect(await all.get('/rest/contacts', { ...list, h: { $fields: { 'activities.n': 1 } } })).toEqual([
      { _id: first, activities: [{ n: 1 }, { n: 2 }] },
      { _id: second, activities: [] },
    ]);
    const [withMetafields] = await all.get<Fields[]>('/rest/contacts', { ...list, metafields: 'true' });
    expect(withMetafields?.activities).toMatchObject([{ _version: 0 }, { _version: 0 }]);
    const { key } = await api.createKey({ rest: ['GET:contacts'] });
    const client = clientOf(api, key);
    expect(await client.get('/rest/contacts', list)).toEqual([
      { _id: first, name: 'p' },
      { _id: second, name: 'p' },
    ]);
  });

  it('is not stored when a client sends back what it has read', async () => {
    const parent = await createParent('p');
    await all.create(`contacts/${parent}/activities`, [{ n: 1 }]);
    const read = await all.get(`/rest/contacts/${parent}`, { fetchchildren: 'true' });
    expect((await all.call(`/rest/contacts/${parent}`, { method: 'PUT', json: read })).status).toBe(200);
    expect(await all.get(`/rest/contacts/${parent}`)).toEqual({ _id: parent, name: 'p' });
  });

  it('changes the entity tag with each child that comes, changes or goes', async () => {
    const parent = await createParent();
    const tagOf = async () =>
      String((await all.call(`/rest/contacts/${parent}?fetchchildren=true`)).headers.get('etag'));
    const tags = [await tagOf()];
    const [id = ''] = await all.create(`contacts/${parent}/activities`, [{ n: 1 }]);
    tags.push(await tagOf());
    await all.call(`/rest/activities/${id}`, { method: 'PUT', json: { n: 2 } });
    tags.push(await tagOf());
    expect(new Set(tags).size).toBe(3);
    await all.call(`/rest/activities/${id}`, { method: 'DELETE' });
    expect(await tagOf()).toBe(tags[0]);
    const put = { method: 'PUT', json: { a: 1 }, headers: { 'if-match': tags[1] ?? '' } };
    expect((await all.call(`/rest/contacts/${parent}`, put)).status).toBe(200);
  });

  it('is refused for more than 10,000 children in one answer', async () => {
    const parent = await createParent();
    for (const count of [10_000, 1]) {
      const rows = Array.from({ length: count }, () => ({}));
      await all.create(`contacts/${parent}/activities`, rows);
    }
    const { status, body } = await all.call(`/rest/contacts/${parent}?fetchchildren=true`);
    expect([status, body]).toMatchObject([400, { detail: expect.stringContaining('10000') }]);
    expect(await all.get(`/rest/contacts/${parent}/activities`)).toHaveLength(1_000);
  });
});

describe('/openapi.json', () => {
  it('has the paths of children for keys that reach both collections, and no others', async () => {
    const pathsFor = async (rest: string[]) => {
      const { key } = await api.createKey({ rest });
      const { paths } = await clientOf(api, key).get<{ paths: Record<string, object> }>('/openapi.json');
      const own = Object.entries(paths).filter(([path]) => path.includes('activities') && path.includes('contacts'));
      return Object.fromEntries(own.map(([path, methods]) => [path, Object.keys(methods)]));
    };
    const list = '/rest/contacts/{id}/activities';
    expect(await pathsFor(['GET:contacts', 'GET:activities', 'POST:activities'])).toEqual({
      [list]: ['get', 'post'],
      [`${list}/stream`]: ['get'],
      [`${list}/{childId}`]: ['get'],
    });
    expect(await pathsFor(['*:activities'])).toEqual({});
    expect(await pathsFor(['*:contacts'])).toEqual({});
  });
});

describe('export and import', () => {
  it('with keepIds=true keep the children below their parent, byte for byte, for keys that may GET the parents', async () => {
    const parent = await createParent();
    const [id = ''] = await all.create(`contacts/${parent}/activities`, [{ n: 1 }]);
    await all.call(`/rest/activities/${id}`, { method: 'PUT', json: { later: true } });
    const rows = (await all.call('/rest/activities/export')).text.split('\n').filter((line) => line.includes(parent));
    const load = async (client: typeof all, body: string, path: string) =>
      (await client.call(path, { method: 'POST', body, headers: { 'content-type': 'application/x-ndjson' } })).body;
    await all.call(`/rest/activities/${id}`, { method: 'DELETE' });
    const { key } = await api.createKey({ rest: ['*:activities'] });
    const path = '/rest/activities/import?keepIds=true';
    const refusals = [
      await load(clientOf(api, key), rows.join('\n'), path),
      await load(
        all,
        `{"_id":"${nobody}","_parent_id":"x","_parent_def":"contacts","_parent_field":"activities"}`,
        path,
      ),
    ];
    for (const refusal of refusals) expect(refusal).toMatchObject({ imported: 0, refusedCount: 1 });
    expect(await load(all, rows.join('\n'), path)).toMatchObject({ imported: 1, refusedCount: 0 });
    const again = (await all.call('/rest/activities/export')).text.split('\n').filter((line) => line.includes(parent));
    expect(again).toEqual(rows);
    expect(await all.get(`/rest/contacts/${parent}/activities`)).toMatchObject([{ _id: id, later: true }]);
  });
});

describe('32 writers', () => {
  it('make no child after the parent’s delete, whatever comes between', async () => {
    for (let round = 0; round < 10; round += 1) {
      const parent = await createParent(`round ${round}`);
      const path = `/rest/contacts/${parent}/activities`;
      const writers = Array.from({ length: 32 }, async (_, writer) => {
        const json = writer % 4 === 0 ? [{ writer }, { writer }] : { writer };
        const statuses: number[] = [];
        while (statuses.at(-1) !== 404) statuses.push((await all.call(path, { method: 'POST', json })).status);
        return statuses;
      });
      const deletion = eventually(async () => expect(await all.get(path)).not.toEqual([])).then(() =>
        all.call(`/rest/contacts/${parent}`, { method: 'DELETE' }),
      );
      const statuses = (await Promise.all(writers)).flat();
      const deletedAt = Number((await deletion).headers.get('x-event-id'));
      expect([...new Set(statuses)].sort()).toEqual([201, 404]);
      const { rows } = await api.connections.pool.query<{ count: number; last: number }>(
        `SELECT count(*)::int AS count, coalesce(max(id), 0) AS last FROM events
          WHERE database_id = $1 AND collection = 'activities' AND type = 'post' AND after ->> '_parent_id' = $2`,
        [api.databaseId, parent],
      );
      const [{ count = 0, last = 0 } = {}] = rows;
      expect(Number(last)).toBeLessThan(deletedAt);
      const created = statuses.filter((status) => status === 201).length;
      expect(count).toBeGreaterThanOrEqual(created);
      const stored = await all.get('/rest/activities', { q: { _parent_id: parent }, max: '10000' });
      expect(stored).toHaveLength(count);
    }
  });
});
