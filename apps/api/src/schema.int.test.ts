/** Schemas of collections over HTTP: the admin API sets them, the collections API holds to them. */
import { Validator } from '@seriousme/openapi-schema-validator';
import type { JsonObject, JsonValue } from '@tidewire/protocol/json';
import { createTestDatabase } from '@tidewire/testing/test-database';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestApi, type TestApi } from './api.fixture.js';

let api: TestApi;
let cookie = '';
let key = '';
const base = '/api/databases/default/collections';

type Answer = { status: number; body: Record<string, JsonValue>; headers: Headers };

async function send(
  method: string,
  path: string,
  body?: JsonValue | string,
  headers: Record<string, string> = {},
): Promise<Answer> {
  const isAdmin = path.startsWith('/api');
  const answer = await fetch(`${api.url}${path}`, {
    method,
    headers: {
      ...(isAdmin ? { cookie, origin: api.url } : { 'x-apikey': key }),
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...headers,
    },
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  });
  const text = await answer.text();
  return { status: answer.status, body: text === '' ? {} : JSON.parse(text), headers: answer.headers };
}

const setSchema = (collection: string, schema: JsonValue, query = '') =>
  send('PUT', `${base}/${collection}/schema${query}`, schema);

async function withSchema(collection: string, properties: JsonObject, more: JsonObject = {}): Promise<void> {
  expect((await send('PUT', `${base}/${collection}`)).status).toBe(201);
  expect((await setSchema(collection, { type: 'object', properties, ...more })).status).toBe(200);
}

beforeAll(async () => {
  const { address } = await createTestDatabase();
  api = await startTestApi(address);
  const setup = await fetch(`${api.url}/api/setup`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', origin: api.url },
    body: JSON.stringify({ token: api.setupToken, email: 'admin@example.com', password: 'a long password' }),
  });
  cookie = (setup.headers.get('set-cookie') ?? '').split(';')[0] ?? '';
  ({ key } = await api.createKey({ rest: ['*:*'] }));
});

afterAll(async () => {
  expect(api.accidents).toEqual([]);
  await api.close();
});

const person: JsonObject = {
  no: { fieldType: 'number', autoIncrement: true },
  name: { fieldType: 'text', maxLength: 20 },
  email: { fieldType: 'email' },
  state: { fieldType: 'option', enum: ['new', 'old'], default: 'new' },
  company: { fieldType: 'relation', collection: 'company' },
  label: { computed: 'name + " #" + string(no)' },
};
const id = '577cf185e2039b0900000016';

describe('a collection', () => {
  it('is made empty, once, and shows its schema and indexes', async () => {
    const made = await send('PUT', `${base}/empty`);
    expect(made).toMatchObject({ status: 201, body: { name: 'empty', documents: 0, schema: null, indexes: [] } });
    expect((await send('PUT', `${base}/empty`)).status).toBe(200);
    expect((await send('GET', `${base}/empty`)).body).toEqual(made.body);
    expect((await send('GET', '/rest/empty')).body).toEqual([]);
  });

  it('that is not there, or cannot be, is said so', async () => {
    expect((await send('GET', `${base}/nothing`)).status).toBe(404);
    expect((await send('GET', `${base}/nothing/schema`)).status).toBe(404);
    expect((await setSchema('nothing', { type: 'object' })).status).toBe(404);
    expect((await send('DELETE', `${base}/nothing/schema`)).status).toBe(404);
    expect((await send('PUT', `${base}/1nothing`)).status).toBe(422);
    expect((await send('POST', `${base}/empty`)).headers.get('allow')).toBe('GET, PUT, PATCH, DELETE');
    expect((await send('POST', `${base}/empty/schema`)).headers.get('allow')).toBe('GET, PUT, DELETE');
  });

  it('needs an admin', async () => {
    const answer = await fetch(`${api.url}${base}/empty/schema`, { headers: { 'x-apikey': key } });
    expect(answer.status).toBe(401);
  });
});

describe('a schema', () => {
  it('is given back as it came, and goes', async () => {
    await withSchema('kept', { z: { type: 'string' }, a: { fieldType: 'text' } });
    const got = await send('GET', `${base}/kept/schema`);
    expect(JSON.stringify(got.body)).toBe(
      '{"type":"object","properties":{"z":{"type":"string"},"a":{"fieldType":"text"}}}',
    );
    expect((await send('DELETE', `${base}/kept/schema`)).status).toBe(204);
    expect((await send('GET', `${base}/kept/schema`)).status).toBe(404);
    expect((await send('DELETE', `${base}/kept/schema`)).status).toBe(204);
    expect((await send('POST', '/rest/kept', { z: 1 })).status).toBe(201);
  });

  it.each<[string, JsonValue | string, string, number]>([
    ['that is none', [], '', 422],
    ['with an unknown keyword', { type: 'object', properties: { a: { fieldTyp: 'text' } } }, '', 422],
    ['that is no JSON', '{"type":', '', 400],
    ['that is beyond all bounds', { type: 'object', description: 'x'.repeat(70_000) }, '', 422],
    ['with an unknown parameter', { type: 'object' }, '?dryrun=true', 400],
  ])('%s is refused', async (_title, schema, query, status) => {
    await send('PUT', `${base}/strict`);
    expect((await setSchema('strict', schema, query)).status).toBe(status);
    expect((await send('GET', `${base}/strict/schema`)).status).toBe(404);
  });

  it('names the documents that fail it, and is not taken unless they are accepted', async () => {
    await send('POST', '/rest/old', [{ n: 1 }, { n: 'x' }, { n: 'y' }]);
    const schema = { type: 'object', properties: { n: { fieldType: 'number' } } };
    const dry = await setSchema('old', schema, '?dryRun=true');
    expect(dry).toMatchObject({ status: 200, body: { checked: 3, failingCount: 2 } });
    const refused = await setSchema('old', schema);
    expect(refused).toMatchObject({ status: 409, body: { code: 'conflict', ...dry.body } });
    expect(dry.body.failing).toMatchObject([
      { errors: [{ field: '/n', message: 'the value has another type', allowed: 'integer or null' }] },
      {},
    ]);
    expect((await setSchema('old', schema, '?acceptFailing=true')).status).toBe(200);
    const [failing] = (dry.body.failing as JsonObject[]).map(({ _id }) => _id);
    expect((await send('PATCH', `/rest/old/${failing}`, { more: 1 })).status).toBe(422);
    expect((await send('PATCH', `/rest/old/${failing}`, { n: 2, more: 1 })).status).toBe(200);
  });

  it('declares the indexes of its unique fields', async () => {
    await withSchema('users', { email: { fieldType: 'email', unique: true } });
    expect((await send('GET', `${base}/users`)).body.indexes).toMatchObject([
      { name: 'schema_email', isOfSchema: true, state: 'building', definition: { fields: ['email'], unique: true } },
    ]);
  });
});

describe('writes to a collection with a schema', () => {
  it('answer and store what the collection makes of them', async () => {
    await withSchema('person', person, { required: ['name'] });
    const made = await send('POST', '/rest/person', {
      name: 'Anna',
      company: { _id: id, name: 'ACME' },
      no: 7,
      label: 'mine',
    });
    expect(made).toMatchObject({
      status: 201,
      body: {
        name: 'Anna',
        no: 1,
        state: 'new',
        company: [{ _id: id }],
        label: 'Anna #1',
        _version: 0,
        _tags: 'anna 577cf185e2039b0900000016 new 1',
      },
    });
    const path = `/rest/person/${made.body._id}`;
    expect((await send('PUT', path, { name: 'Berta', no: 9 })).body).toMatchObject({
      name: 'Berta',
      no: 1,
      label: 'Berta #1',
      state: 'new',
    });
    expect((await send('PATCH', path, { $inc: { no: 5 }, $set: { state: 'old' } })).body).toMatchObject({
      no: 1,
      state: 'old',
    });
    expect((await send('PUT', `${path}?replace=true`, { name: 'C' })).body).toMatchObject({
      name: 'C',
      no: 1,
      state: 'new',
      label: 'C #1',
    });
    const patch = { 'content-type': 'application/json-patch+json' };
    expect((await send('PATCH', path, [{ op: 'remove', path: '/name' }], patch)).status).toBe(422);
    const merge = { 'content-type': 'application/merge-patch+json' };
    expect((await send('PATCH', path, { state: 'none' }, merge)).body.errors).toEqual([
      { field: '/state', message: 'the value is none of the list', allowed: '"new", "old"' },
    ]);
    expect((await send('GET', path)).body).toMatchObject({ name: 'C', no: 1 });
    await send('PATCH', path, { company: id });
    for (const q of [`{"company.0._id":"${id}"}`, `{"company":{"_id":"${id}"}}`])
      expect((await send('GET', `/rest/person?q=${encodeURIComponent(q)}`)).body, q).toMatchObject([{ name: 'C' }]);
  });

  it('that fail it are refused with all their fields, in the words of restdb.io, too', async () => {
    const refused = await send('POST', '/rest/person', { email: 'x', state: 3, address: {} });
    expect(refused).toMatchObject({
      status: 422,
      body: {
        code: 'validation_failed',
        name: 'ValidationError',
        list: [
          { field: 'name', message: ['REQUIRED', 'missing field'] },
          { field: 'email', message: ['INVALID', 'the text has another form'] },
          { field: 'state', message: ['INVALID', 'the value is none of the list'] },
          { field: 'label', message: ['INVALID', expect.stringContaining('cannot be computed')] },
        ],
      },
    });
    await withSchema(
      'strict2',
      { name: { fieldType: 'text' }, email: { fieldType: 'email' } },
      { required: ['name'], additionalProperties: false },
    );
    expect((await send('POST', '/rest/strict2', { email: 'x', more: 1 })).body).toMatchObject({
      status: 422,
      errors: [
        { field: '/name', message: 'missing field' },
        { field: '/email', message: 'the text has another form', allowed: 'an e-mail address' },
        { field: '/more', message: 'this field is not known here', allowed: 'name, email' },
      ],
      list: [
        { field: 'name', message: ['REQUIRED', 'missing field'] },
        { field: 'email', message: ['INVALID', 'the text has another form'] },
        { field: 'more', message: ['INVALID', 'this field is not known here'] },
      ],
    });
  });

  it('of several documents name the one that fails by its place, and store none', async () => {
    const refused = await send('POST', '/rest/strict2', [{ name: 'a' }, { name: 3 }]);
    expect(refused.body.errors).toMatchObject([{ field: '/1/name' }]);
    expect((await send('GET', '/rest/strict2')).body).toEqual([]);
  });

  it('skip it with validate=false, for one and for several', async () => {
    expect((await send('POST', '/rest/strict2?validate=false', { more: 1 })).status).toBe(201);
    expect((await send('POST', '/rest/strict2?validate=false', [{ more: 2 }, {}])).status).toBe(201);
    expect((await send('POST', '/rest/strict2?validate=true', { more: 1 })).status).toBe(422);
    expect((await send('POST', '/rest/strict2?validate=perhaps', {})).status).toBe(400);
    expect((await send('POST', '/rest/strict2?validate=false', { _x: 1 })).status).toBe(422);
  });

  it('of an import list each refused row by line and field', async () => {
    const rows = [{ name: 'a' }, { name: 3 }, { name: 'b', more: 1 }, { name: 'c' }]
      .map((row) => JSON.stringify(row))
      .join('\n');
    const answer = await send('POST', '/rest/strict2/import', rows, { 'content-type': 'application/x-ndjson' });
    expect(answer.body).toMatchObject({ imported: 2, refusedCount: 2 });
    expect((answer.body.refused as JsonObject[]).sort((a, b) => Number(a.line) - Number(b.line))).toMatchObject([
      { line: 2, message: expect.stringContaining('/name'), errors: [{ field: '/name' }] },
      { line: 3, errors: [{ field: '/more', message: 'this field is not known here' }] },
    ]);
  });

  it('give each of 60 requests at once a number of its own, without a hole', async () => {
    await withSchema('ticket', { no: { fieldType: 'number', autoIncrement: { start: 1_000 } } });
    const made = await Promise.all(Array.from({ length: 60 }, (_, n) => send('POST', '/rest/ticket', { n })));
    const numbers = made.map(({ body }) => Number(body.no)).sort((a, b) => a - b);
    expect(numbers).toEqual(Array.from({ length: 60 }, (_, n) => 1_000 + n));
  });
});

describe('the description of the API', () => {
  it('with a key shows the schemas of its collections, and is valid', async () => {
    const { body } = await send('GET', '/openapi.json');
    const schemas = (body.components as { schemas: Record<string, JsonObject> }).schemas;
    expect(schemas.Fields_person).toMatchObject({
      required: ['name'],
      properties: { name: { type: 'string', maxLength: 20 } },
    });
    expect(Object.keys((schemas.Fields_person?.properties as JsonObject | undefined) ?? {})).not.toContain('no');
    expect(schemas.Document_person).toMatchObject({
      allOf: [{ $ref: '#/components/schemas/Document' }, { type: 'object' }],
    });
    expect(await new Validator().validate(structuredClone(body))).toMatchObject({ valid: true });
  });
});
