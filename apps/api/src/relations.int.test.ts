/** Documents that refer to others, read over real HTTP from a real Postgres. */
import { env } from 'node:process';
import { createTestDatabase } from '@tidewire/testing/test-database';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestApi, type TestApi } from './api.fixture.js';
import { clientOf, type Fields, setSchema } from './relations.fixture.js';

let api: TestApi;
let all: ReturnType<typeof clientOf>;
let ada: string;
let grace: string;
let acme: string;
let order: string;
const nobody = '0123456789abcdef01234567';
const photo = '5f0c00000000000000000001';
const paper = '5f0c00000000000000000002';
const one = (id: string) => [{ _id: id }];

beforeAll(async () => {
  const { address } = await createTestDatabase();
  api = await startTestApi(address);
  const { key } = await api.createKey({ rest: ['*:*'] });
  all = clientOf(api, key);
  [ada = '', grace = ''] = await all.create('customers', [
    { name: 'Ada', address: { city: 'London' } },
    { name: 'Grace', address: { city: 'New York' } },
  ]);
  [acme = ''] = await all.create('suppliers', [{ name: 'ACME' }]);
  await setSchema(api, 'orders', {
    customer: { fieldType: 'relation', collection: 'customers' },
    others: { fieldType: 'relations', collection: 'customers' },
    supplier: { fieldType: 'relation', collection: 'suppliers' },
    photo: { fieldType: 'image' },
    papers: { fieldType: 'files' },
  });
  await setSchema(api, 'customers', { friend: { fieldType: 'relation', collection: 'customers' } });
  [order = ''] = await all.create('orders', [
    {
      total: 5,
      customer: one(ada),
      others: [...one(grace), ...one(nobody), ...one(ada)],
      supplier: one(acme),
      photo: [photo],
      papers: [paper],
    },
  ]);
});
afterAll(async () => {
  expect(api.accidents).toEqual([]);
  await api.close();
});

describe('declared relations', () => {
  it('come back as arrays of the documents, without metafields, in lists and alone', async () => {
    const document = {
      _id: order,
      total: 5,
      customer: [{ _id: ada, name: 'Ada', address: { city: 'London' } }],
      others: [
        { _id: grace, name: 'Grace', address: { city: 'New York' } },
        { _id: nobody },
        { _id: ada, name: 'Ada', address: { city: 'London' } },
      ],
      supplier: [{ _id: acme, name: 'ACME' }],
      photo: [photo],
      papers: [paper],
    };
    expect(await all.get(`/rest/orders/${order}`)).toEqual(document);
    expect(await all.get('/rest/orders')).toEqual([document]);
    expect(await all.get('/rest/orders', { totals: 'true' })).toMatchObject({ data: [document], totals: { total: 1 } });
  });

  it('have metafields with metafields=true', async () => {
    const { customer } = await all.get<{ customer: Fields[] }>(`/rest/orders/${order}`, { metafields: 'true' });
    expect(customer[0]).toMatchObject({
      _id: ada,
      name: 'Ada',
      _version: 0,
      _createdby: 'api',
      _keywords: expect.any(Array),
    });
  });

  it('stay ids with fetchrelations=false', async () => {
    const found = await all.get(`/rest/orders/${order}`, { fetchrelations: 'false' });
    expect(found).toMatchObject({ customer: one(ada), supplier: one(acme) });
  });

  it('are queried by the ids that are stored, in both of restdb.io’s forms', async () => {
    for (const q of [{ 'customer.0._id': ada }, { others: { _id: grace } }, { 'others._id': grace }])
      expect(await all.get('/rest/orders', { q })).toHaveLength(1);
    expect(await all.get('/rest/orders', { q: { 'customer.0._id': grace } })).toEqual([]);
  });

  it('can be chosen from by dotted $fields, and left out', async () => {
    const chosen = await all.get('/rest/orders', { h: { $fields: { 'customer.name': 1, 'others.address.city': 1 } } });
    expect(chosen).toEqual([
      {
        _id: order,
        customer: [{ name: 'Ada' }],
        others: [{ address: { city: 'New York' } }, {}, { address: { city: 'London' } }],
      },
    ]);
    const [rest] = await all.get<Fields[]>('/rest/orders', { h: { $fields: { customer: 0, 'others.name': 0 } } });
    expect(rest).not.toHaveProperty('customer');
    expect(rest?.others).toEqual([
      { _id: grace, address: { city: 'New York' } },
      { _id: nobody },
      { _id: ada, address: { city: 'London' } },
    ]);
  });

  it('stand in CSV as JSON, and stay arrays when the document is flattened', async () => {
    const { text } = await all.call(`/rest/orders.csv?${new URLSearchParams({ h: '{"$fields":{"supplier":1}}' })}`);
    expect(text).toBe(`_id,supplier\r\n${order},"[{""_id"":""${acme}"",""name"":""ACME""}]"\r\n`);
    const flat = await all.get(`/rest/orders/${order}`, { flatten: 'true' });
    expect(flat.supplier).toEqual([{ _id: acme, name: 'ACME' }]);
  });

  it('are one level deep', async () => {
    const [friend = ''] = await all.create('customers', [{ name: 'Alan', friend: one(ada) }]);
    const [id = ''] = await all.create('orders', [{ customer: one(friend) }]);
    expect(await all.get(`/rest/orders/${id}`)).toMatchObject({ customer: [{ name: 'Alan', friend: one(ada) }] });
    expect(await all.get(`/rest/customers/${friend}`)).toMatchObject({ friend: [{ name: 'Ada' }] });
    await all.call(`/rest/orders/${id}`, { method: 'DELETE' });
    await all.call(`/rest/customers/${friend}`, { method: 'DELETE' });
  });

  it('are stored as ids when a client sends back what it has read', async () => {
    const read = await all.get(`/rest/orders/${order}`, { metafields: 'true' });
    for (const replace of ['', '?replace=true'])
      expect((await all.call(`/rest/orders/${order}${replace}`, { method: 'PUT', json: read })).status).toBe(200);
    const stored = await all.get(`/rest/orders/${order}`, { fetchrelations: 'false' });
    expect(stored).toMatchObject({ customer: one(ada), others: [...one(grace), ...one(nobody), ...one(ada)] });
    const { _id, total, customer, others, supplier, photo: image, papers } = stored;
    expect(stored).toEqual({ _id, total, customer, others, supplier, photo: image, papers });
  });

  it('are not embedded in the answers of writes', async () => {
    const { body } = await all.call(`/rest/orders/${order}`, { method: 'PUT', json: { total: 5 } });
    expect(body).toMatchObject({ customer: one(ada) });
  });
});

describe('who may see what', () => {
  it('a key that may not GET the other collection gets the ids alone, by every way', async () => {
    const { key } = await api.createKey({ rest: ['GET:orders', 'GET:suppliers', 'POST:customers', 'PUT:customers'] });
    const client = clientOf(api, key);
    const [adHoc = ''] = await all.create('orders', [{ owner: { $ref: 'customers', $id: ada } }]);
    const answers = [
      (await client.call(`/rest/orders/${order}`)).text,
      (await client.call('/rest/orders?metafields=true&fetchchildren=true')).text,
      (await client.call(`/rest/orders.csv`)).text,
      (await client.call(`/rest/orders/${order}?referencedby=true&flatten=true`)).text,
    ];
    for (const text of answers) {
      expect(text).toContain(ada);
      expect(text).not.toMatch(/Ada|Grace|London/);
    }
    expect(await client.get(`/rest/orders/${order}`)).toMatchObject({
      customer: one(ada),
      others: [...one(grace), ...one(nobody), ...one(ada)],
      supplier: [{ _id: acme, name: 'ACME' }],
    });
    expect(await client.get(`/rest/orders/${adHoc}`)).toEqual({ _id: adHoc, owner: { $ref: 'customers', $id: ada } });
    await all.call(`/rest/orders/${adHoc}`, { method: 'DELETE' });
  });

  it('an id of another database is a missing one', async () => {
    const { pool } = api.connections;
    const { rows } = await pool.query<{ id: number }>(
      `WITH made AS (INSERT INTO databases (name) VALUES ('foreign') RETURNING id)
       INSERT INTO collections (database_id, name) SELECT id, 'customers' FROM made RETURNING id`,
    );
    const client = await pool.connect();
    await client.query("BEGIN; SET LOCAL tidewire.lane = 'on'");
    await client.query(
      `INSERT INTO documents (collection_id, id, body, data, version, created_at, changed_at, created_by, changed_by)
        VALUES ($1, 'ffffffffffffffffffffffff', '{"name":"Foreign"}', '{"name":"Foreign"}', 0, now(), now(), 'x', 'x')`,
      [rows[0]?.id],
    );
    await client.query('COMMIT');
    client.release();
    const foreign = 'ffffffffffffffffffffffff';
    const [id = ''] = await all.create('orders', [
      { customer: one(foreign), owner: { $ref: 'customers', $id: foreign } },
    ]);
    expect(await all.get(`/rest/orders/${id}`)).toEqual({
      _id: id,
      customer: one(foreign),
      owner: { $ref: 'customers', $id: foreign },
    });
    await all.call(`/rest/orders/${id}`, { method: 'DELETE' });
  });
});

describe('{"$ref","$id"}', () => {
  it('refers to a document at any depth and is embedded on read, in any collection', async () => {
    const reference = { $ref: 'customers', $id: ada };
    const [id = ''] = await all.create('notes', [{ by: reference, deep: [{ list: [reference, 1] }] }]);
    const embedded = { ...reference, name: 'Ada', address: { city: 'London' } };
    expect(await all.get(`/rest/notes/${id}`)).toEqual({ _id: id, by: embedded, deep: [{ list: [embedded, 1] }] });
    expect(await all.get('/rest/notes')).toHaveLength(1);
    expect(await all.get('/rest/notes', { h: { $fields: { 'by.name': 1 } } })).toEqual([
      { _id: id, by: { name: 'Ada' } },
    ]);
  });

  it('loses at write what reads have put beside it', async () => {
    const [id = ''] = await all.create('notes', [{ by: { $ref: 'customers', $id: grace } }]);
    const read = await all.get(`/rest/notes/${id}`);
    const answers = [
      await all.call(`/rest/notes/${id}`, { method: 'PUT', json: read }),
      await all.call(`/rest/notes/${id}?replace=true`, { method: 'PUT', json: read }),
      await all.call(`/rest/notes/${id}`, { method: 'PATCH', json: { $set: { by: read.by } } }),
    ];
    for (const { status, body } of answers)
      expect([status, body]).toMatchObject([200, { by: { $ref: 'customers', $id: grace } }]);
    const stored = await all.get(`/rest/notes/${id}`, { fetchrelations: 'false' });
    expect(stored).toEqual({ _id: id, by: { $ref: 'customers', $id: grace } });
  });

  it.each([
    [{ by: { $ref: 'customers' } }, '/by/$id'],
    [{ by: { $id: nobody } }, '/by/$ref'],
    [{ by: { $ref: 'no collection', $id: nobody } }, '/by/$ref'],
    [{ by: { $ref: 'customers', $id: 'x' } }, '/by/$id'],
    [{ a: [{ by: { $ref: 1, $id: nobody } }] }, '/a/0/by/$ref'],
    [{ $ref: 'customers', $id: nobody }, '/$ref'],
  ])('is refused when malformed, or as the whole document: %j', async (json, field) => {
    const { status, body } = await all.call('/rest/notes', { method: 'POST', json });
    expect([status, body]).toMatchObject([422, { errors: [{ field }] }]);
  });

  it('is one value for update operators and patches', async () => {
    const [id = ''] = await all.create('notes', [{ by: { $ref: 'customers', $id: ada } }]);
    const path = `/rest/notes/${id}`;
    const merge = { 'content-type': 'application/merge-patch+json' };
    expect((await all.call(path, { method: 'PATCH', json: { $set: { 'by.name': 'x' } } })).status).toBe(422);
    expect((await all.call(path, { method: 'PATCH', json: { $set: { 'by.$id': grace } } })).status).toBe(422);
    const replaced = { by: { $ref: 'customers', $id: grace } };
    expect((await all.call(path, { method: 'PATCH', json: replaced, headers: merge })).body).toMatchObject(replaced);
    expect((await all.call(path, { method: 'PATCH', json: { by: { a: 1 } }, headers: merge })).body).toMatchObject({
      by: { a: 1 },
    });
    const patch = [{ op: 'add', path: '/by', value: replaced.by }];
    const jsonPatch = { 'content-type': 'application/json-patch+json' };
    expect((await all.call(path, { method: 'PATCH', json: patch, headers: jsonPatch })).body).toMatchObject(replaced);
    const beside = [{ op: 'add', path: '/by/name', value: 'x' }];
    expect((await all.call(path, { method: 'PATCH', json: beside, headers: jsonPatch })).status).toBe(422);
  });

  it('is found by $id and $ref in a query, and by nothing else with a $', async () => {
    const [id = ''] = await all.create('notes', [{ tag: 'q', by: [{ $ref: 'suppliers', $id: acme }] }]);
    for (const q of [{ 'by.$id': acme }, { 'by.0.$ref': 'suppliers' }, { tag: 'q', 'by.$id': { $in: [acme, ada] } }])
      expect(await all.get('/rest/notes', { q })).toMatchObject([{ _id: id }]);
    expect(await all.get('/rest/notes', { q: { 'by.$id': nobody } })).toEqual([]);
    for (const q of [{ 'by.$db': 'x' }, { by: { $id: acme } }, { $id: acme }])
      expect((await all.call(`/rest/notes?${new URLSearchParams({ q: JSON.stringify(q) })}`)).status).toBe(400);
  });
});

describe('entity tags', () => {
  const tagOf = async (path: string) => (await all.call(path)).headers.get('etag') ?? '';

  it('change when an embedded document does, and when it goes or comes', async () => {
    const [customer = ''] = await all.create('customers', [{ name: 'v0' }]);
    const [id = ''] = await all.create('orders', [{ customer: one(customer) }]);
    const path = `/rest/orders/${id}`;
    const tags = [await tagOf(path)];
    const unchanged = await all.call(path, { headers: { 'if-none-match': tags[0] ?? '' } });
    expect([unchanged.status, unchanged.text]).toEqual([304, '']);
    await all.call(`/rest/customers/${customer}`, { method: 'PUT', json: { name: 'v1' } });
    const changed = await all.call(path, { headers: { 'if-none-match': tags[0] ?? '' } });
    expect([changed.status, changed.text]).toEqual([200, expect.stringContaining('v1')]);
    tags.push(await tagOf(path));
    await all.call(`/rest/customers/${customer}`, { method: 'DELETE' });
    tags.push(await tagOf(path));
    await all.call(path, { method: 'PUT', json: { a: 1 } });
    tags.push(await tagOf(path));
    expect(new Set(tags).size).toBe(4);
  });

  it('of an answer with embedded documents are good for If-Match, which goes by the document itself', async () => {
    const [customer = ''] = await all.create('customers', [{ name: 'v0' }]);
    const [id = ''] = await all.create('orders', [{ customer: one(customer) }]);
    const path = `/rest/orders/${id}`;
    const tag = await tagOf(path);
    await all.call(`/rest/customers/${customer}`, { method: 'PUT', json: { name: 'v1' } });
    const write = { method: 'PUT', json: { total: 1 }, headers: { 'if-match': tag } };
    const first = await all.call(path, write);
    expect(first.status).toBe(200);
    const second = await all.call(path, write);
    expect([second.status, second.headers.get('etag')]).toEqual([412, first.headers.get('etag')]);
  });

  it('of a document that shows no other are those of its writes', async () => {
    const [id = ''] = await all.create('suppliers', [{ name: 'x' }]);
    const { headers } = await all.call(`/rest/suppliers/${id}`, { method: 'PUT', json: { name: 'y' } });
    expect(await tagOf(`/rest/suppliers/${id}`)).toBe(headers.get('etag'));
  });

  it('change with what refers to the document, when that is shown', async () => {
    const path = `/rest/suppliers/${acme}?referencedby=true`;
    const before = await tagOf(path);
    const [id = ''] = await all.create('orders', [{ supplier: one(acme) }]);
    const between = await tagOf(path);
    await all.call(`/rest/orders/${id}`, { method: 'PUT', json: { total: 9 } });
    expect(new Set([before, between, await tagOf(path)]).size).toBe(3);
    await all.call(`/rest/orders/${id}`, { method: 'DELETE' });
    expect(await tagOf(path)).toBe(before);
  });
});

describe('referencedby', () => {
  it('gives what refers to the document by any declared field, by collection, as it is stored', async () => {
    const { referencedby } = await all.get<{ referencedby: Record<string, Fields[]> }>(`/rest/customers/${ada}`, {
      referencedby: 'true',
    });
    expect(Object.keys(referencedby)).toEqual(['customers', 'orders']);
    expect(referencedby.customers).toEqual([]);
    expect(referencedby.orders).toContainEqual(expect.objectContaining({ _id: order, customer: one(ada) }));
    for (const found of referencedby.orders ?? []) expect(JSON.stringify(found)).toContain(ada);
  });

  it('leaves out collections that the key may not GET, and is for one document alone', async () => {
    const { key } = await api.createKey({ rest: ['GET:customers'] });
    const client = clientOf(api, key);
    expect(await client.get(`/rest/customers/${ada}`, { referencedby: 'true' })).toMatchObject({
      referencedby: { customers: [] },
    });
    expect((await client.call(`/rest/customers/${ada}?referencedby=true`)).text).not.toContain('orders');
    expect((await client.call('/rest/customers?referencedby=true')).status).toBe(400);
  });
});

describe('idtolink', () => {
  it('turns the ids of relations, references, images and files into URLs of this server', async () => {
    const link = {
      customer: [`${api.url}/rest/customers/${ada}`],
      others: [grace, nobody, ada].map((id) => `${api.url}/rest/customers/${id}`),
      photo: [`${api.url}/media/${photo}`],
      papers: [`${api.url}/media/${paper}`],
    };
    expect(await all.get(`/rest/orders/${order}`, { idtolink: 'true' })).toMatchObject({ _id: order, ...link });
    expect(await all.get('/rest/orders', { idtolink: 'true', q: { _id: order } })).toMatchObject([{ ...link }]);
    const [id = ''] = await all.create('notes', [{ by: { $ref: 'customers', $id: ada } }]);
    expect(await all.get(`/rest/notes/${id}`, { idtolink: 'true' })).toEqual({
      _id: id,
      by: `${api.url}/rest/customers/${ada}`,
    });
  });

  it('believes no X-Forwarded header unless it is told to', async () => {
    const headers = { 'x-forwarded-proto': 'https', 'x-forwarded-host': 'evil.example' };
    const { text } = await all.call(`/rest/orders/${order}?idtolink=true`, { headers });
    expect(text).toContain(`${api.url}/rest/customers/${ada}`);
    expect(text).not.toContain('evil');
  });
});

describe('random documents', () => {
  // biome-ignore lint/style/noProcessEnv: another seed for one run.
  const seed = Number(env.SEED ?? 7);

  /** What the answer must be, found by looking at every value of every document; nothing is shared with the server. */
  function naively(documents: Fields[], relations: Record<string, string>, byCollection: Record<string, Fields[]>) {
    const find = (collection: string, id: unknown) => byCollection[collection]?.find(({ _id }) => _id === id);
    const anywhere = (value: unknown): unknown => {
      if (Array.isArray(value)) return value.map(anywhere);
      if (typeof value !== 'object' || value === null) return value;
      const { $ref, $id } = value as Fields;
      if ($ref !== undefined) return { $ref, $id, ...{ ...find(String($ref), $id), _id: undefined } };
      return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, anywhere(item)]));
    };
    const declared = (value: unknown, collection: string) => {
      const idOf = (item: unknown) => (typeof item === 'string' ? item : (item as Fields | null)?._id);
      const isId = (item: unknown) => /^[0-9a-f]{24}$/.test(String(idOf(item)));
      const one = (item: unknown) => (isId(item) ? (find(collection, idOf(item)) ?? { _id: idOf(item) }) : item);
      return Array.isArray(value) ? value.map(one) : isId(value) ? [one(value)] : value;
    };
    const all = documents.map((document) =>
      Object.entries(document).map(([name, value]) => {
        const collection = relations[name];
        return [name, collection === undefined ? anywhere(value) : declared(value, collection)] as const;
      }),
    );
    return JSON.parse(JSON.stringify(all.map((entries) => Object.fromEntries(entries)))) as Fields[];
  }

  it(`are embedded as by a naive search, whatever stands in their fields (seed ${seed})`, async () => {
    const targets = ['near', 'far'] as const;
    const ids: string[] = [nobody];
    for (const name of targets) {
      const rows = Array.from({ length: 20 }, (_, n) => ({
        n,
        text: `${name} "$ref": ${n}`,
        self: { $ref: name, $id: ada },
      }));
      ids.push(...(await all.create(name, rows)));
    }
    const id = fc.constantFrom(...ids);
    const plain = fc.oneof(
      fc.integer(),
      fc.constant(null),
      fc.string({ maxLength: 5 }),
      id,
      id.map((_id) => ({ _id })),
    );
    const reference = fc.record({ $ref: fc.constantFrom(...targets, 'nothing'), $id: id });
    const field = fc.oneof(plain, fc.array(plain, { maxLength: 4 }), reference);
    const { nested } = fc.letrec<{ nested: unknown }>((tie) => ({
      nested: fc.oneof(
        { maxDepth: 4 },
        field,
        fc.array(tie('nested'), { maxLength: 3 }),
        fc.dictionary(fc.constantFrom('a', 'b', 'one'), tie('nested'), { maxKeys: 3 }),
      ),
    }));
    const names = { requiredKeys: [] as never[] };
    const document = fc.record({ one: field, many: field, free: nested, other: nested }, names);
    await all.create('mixed', fc.sample(document, { numRuns: 400, seed }) as Fields[]);
    const relations = { one: 'near', many: 'far' };
    await setSchema(api, 'mixed', {
      one: { fieldType: 'relation', collection: 'near' },
      many: { fieldType: 'relations', collection: 'far' },
    });
    const byCollection: Record<string, Fields[]> = {};
    for (const name of targets) byCollection[name] = await all.get(`/rest/${name}`, { fetchrelations: 'false' });
    const stored = await all.get<Fields[]>('/rest/mixed', { fetchrelations: 'false' });
    const expected = naively(stored, relations, byCollection);
    expect(await all.get('/rest/mixed')).toEqual(expected);
    expect(JSON.stringify(expected)).not.toBe(JSON.stringify(stored));
    for (const index of [0, 7, 133, 399])
      expect(await all.get(`/rest/mixed/${expected[index]?._id}`)).toEqual(expected[index]);
  });
});

describe('bounds', () => {
  it('refuses an answer with more than 10,000 other documents, and says how to ask', async () => {
    const ids = Array.from({ length: 6_000 }, (_, index) => index.toString(16).padStart(24, '0'));
    const others = [ids, ids.map((id) => `f${id.slice(1)}`)].map((some) => ({ others: some.map((_id) => ({ _id })) }));
    const created = await all.create('orders', others);
    const q = { _id: { $in: created } };
    const { status, body } = await all.call(`/rest/orders?${new URLSearchParams({ q: JSON.stringify(q) })}`);
    expect([status, body]).toMatchObject([400, { detail: expect.stringContaining('fetchrelations') }]);
    expect(await all.get('/rest/orders', { q, fetchrelations: 'false' })).toHaveLength(2);
    expect(await all.get('/rest/orders', { q, max: '1' })).toHaveLength(1);
    await all.call('/rest/orders/*', { method: 'DELETE', json: created });
  });

  it('refuses an answer that grows beyond 32 MiB because one large document stands in it many times', async () => {
    const [large = ''] = await all.create('customers', [{ text: 'x'.repeat(900_000) }]);
    const [id = ''] = await all.create('orders', [{ others: Array.from({ length: 100 }, () => ({ _id: large })) }]);
    for (const path of [`/rest/orders/${id}`, `/rest/orders?${new URLSearchParams({ q: `{"_id":"${id}"}` })}`]) {
      const { status, body } = await all.call(path);
      expect([status, body]).toMatchObject([400, { detail: expect.stringContaining('32 MiB') }]);
    }
    await all.call(`/rest/orders/${id}`, { method: 'DELETE' });
    await all.call(`/rest/customers/${large}`, { method: 'DELETE' });
  });
});
