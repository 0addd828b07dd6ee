/** restdb.io's contract, the rows about children, relations and types of fields: one test for each, in their order. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type ContractServer, type Document, startContractServer } from './contract.fixture.js';

let server: ContractServer;
const call: ContractServer['call'] = (...given) => server.call(...given);
const create: ContractServer['create'] = (...given) => server.create(...given);
let parent: string;
let city: Document;

beforeAll(async () => {
  server = await startContractServer();
  await server.setSchema('city', { properties: {} });
  await server.setSchema('activity', { properties: {} });
  await server.setSchema('customer', {
    properties: {
      activities: { fieldType: 'child', collection: 'activity' },
      route: { fieldType: 'relation', collection: 'city' },
      tags: { fieldType: 'relations', collection: 'city' },
      photo: { fieldType: 'image' },
    },
  });
  city = await create('city', { name: 'Oslo' });
  parent = (await create('customer', { name: 'Ada', route: [city._id], tags: [city._id], photo: [city._id] }))._id;
});
afterAll(() => server.close());

const link = () => ({ _parent_id: parent, _parent_def: 'customer', _parent_field: 'activities' });
const read = (path: string) => call(`/rest/customer${path}`);

describe('children', () => {
  test('POST /rest/C/ID/F creates a child', async () => {
    const answer = await call(`/rest/customer/${parent}/activities`, { method: 'POST', body: { text: 'called' } });
    expect([answer.status, answer.body]).toMatchObject([201, { text: 'called', _version: 0 }]);
  });

  test('GET /rest/C/ID/F lists the children, GET /rest/C/ID/F/ID2 gives one', async () => {
    const { status, body } = await read(`/${parent}/activities`);
    expect([status, body]).toMatchObject([200, [{ text: 'called' }]]);
    const [{ _id = '' } = {}] = body as { _id?: string }[];
    expect(await read(`/${parent}/activities/${_id}`)).toMatchObject({ status: 200, body: { _id, text: 'called' } });
  });

  test('a child carries _parent_id, _parent_def and _parent_field', async () => {
    expect((await read(`/${parent}/activities`)).body).toMatchObject([link()]);
    expect((await call('/rest/activity')).body).toMatchObject([{ text: 'called', ...link() }]);
  });

  test('fetchchildren=true puts them into their parent', async () => {
    expect((await read(`/${parent}?fetchchildren=true`)).body).toMatchObject({ activities: [{ text: 'called' }] });
  });
});

describe('relations', () => {
  test('come back as arrays of embedded objects', async () => {
    const { body } = await read(`/${parent}`);
    const embedded = [{ _id: city._id, name: 'Oslo' }];
    expect(body).toMatchObject({ route: embedded, tags: embedded });
  });

  test.each(['route.0._id', 'tags'])('are queried by %s', async (field) => {
    const find = async (id: string) => {
      const q = field === 'tags' ? { tags: { _id: id } } : { [field]: id };
      return (await read(`?q=${encodeURIComponent(JSON.stringify(q))}`)).body;
    };
    expect(await find(city._id)).toMatchObject([{ _id: parent }]);
    expect(await find('577cf185e2039b0900000016')).toEqual([]);
  });

  test('referencedby=true on a GET by id gives everything that refers to it', async () => {
    const { body } = await call(`/rest/city/${city._id}?referencedby=true`);
    expect(body).toMatchObject({ name: 'Oslo', referencedby: { customer: [{ _id: parent }] } });
  });

  test('idtolink=true gives URLs for links and images', async () => {
    expect((await read(`/${parent}?idtolink=true`)).body).toMatchObject({
      route: [`${server.url}/rest/city/${city._id}`],
      photo: [`${server.url}/media/${city._id}`],
    });
  });
});

describe('the schema', () => {
  test('a required field that is missing is refused with ["REQUIRED", …] in list, and validate=false takes it', async () => {
    await server.setSchema('strict', { properties: { name: { fieldType: 'text' } }, required: ['name'] });
    const create = (query: string) => call(`/rest/strict${query}`, { method: 'POST', body: [{ other: 1 }] });
    const refused = await create('');
    expect([refused.status, refused.body]).toMatchObject([
      422,
      { name: 'ValidationError', status: 422, list: [{ message: ['REQUIRED', expect.any(String)] }] },
    ]);
    expect((await create('?validate=false')).status).toBe(201);
  });

  test('a unique field takes each value once', async () => {
    await server.setSchema('unique', { properties: { email: { fieldType: 'email', unique: true } } });
    const create = () => call('/rest/unique', { method: 'POST', body: { email: 'ada@example.org' } });
    expect([(await create()).status, (await create()).status]).toEqual([201, 409]);
  });

  test('an auto-increment field counts, whatever is sent', async () => {
    await server.setSchema('counted', { properties: { no: { fieldType: 'number', autoIncrement: true } } });
    expect(await create('counted', [{}, { no: 99 }])).toMatchObject([{ no: 1 }, { no: 2 }]);
  });

  test('a computed field is calculated', async () => {
    const computed = { fieldType: 'number', computed: 'price * count' };
    await server.setSchema('computed', {
      properties: { price: { fieldType: 'number' }, count: { fieldType: 'number' }, total: computed },
    });
    expect(await create('computed', { price: 3, count: 4 })).toMatchObject({ total: 12 });
  });

  const id = '577cf185e2039b0900000016';
  test.each<[string, object, unknown, unknown]>([
    ['text', {}, 'a', 1],
    ['number', {}, 1, 'a'],
    ['float', {}, 1.5, 'a'],
    ['money', {}, 19.99, 'a'],
    ['email', {}, 'ada@example.org', 'ada'],
    ['richtext', {}, '<b>a</b>', 1],
    ['date', {}, '2026-03-01', 'tomorrow'],
    ['datetime', {}, '2026-03-01T10:00:00Z', 'tomorrow'],
    ['time', {}, '10:00', '25:00'],
    ['image', {}, [id], ['x']],
    ['images', {}, [id, id.replace('5', '6')], ['x']],
    ['file', {}, [id], ['x']],
    ['files', {}, [id], ['x']],
    ['bool', {}, true, 'true'],
    ['option', { enum: ['red', 'green'] }, 'red', 'blue'],
    ['relation', { collection: 'city' }, [id], ['x']],
    ['relations', { collection: 'city' }, [id], ['x']],
  ])('a field of the type %s takes its values and refuses others', async (fieldType, more, good, bad) => {
    const collection = `typed-${fieldType}`;
    await server.setSchema(collection, { properties: { f: { fieldType, ...more } } });
    const create = (f: unknown) => call(`/rest/${collection}`, { method: 'POST', body: { f } });
    expect([(await create(good)).status, (await create(bad)).status]).toEqual([201, 422]);
  });

  test('a field of the type json takes anything', async () => {
    await server.setSchema('typed-json', { properties: { f: { fieldType: 'json' } } });
    const values = [1, 'a', { a: [] }, [null], true];
    expect(
      (
        await create(
          'typed-json',
          values.map((f) => ({ f })),
        )
      ).map(({ f }) => f),
    ).toEqual(values);
  });

  test('nothing of this was an accident', () => expect(server.accidents).toEqual([]));
});
