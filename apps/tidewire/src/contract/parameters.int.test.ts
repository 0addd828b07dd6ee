/** restdb.io's contract, the tables of query parameters, hints, operators and aggregation: one test for each row, in their order. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  type Answer,
  type ContractServer,
  type Document,
  type Fields,
  startContractServer,
} from './contract.fixture.js';

let server: ContractServer;

const people: Fields[] = [
  { name: 'Ada', age: 36, city: 'London', tags: ['math', 'poetry'], born: '1815-12-10T00:00:00.000Z' },
  { name: 'Grace', age: 85, city: 'New York', tags: ['navy'], born: '1906-12-09T00:00:00.000Z' },
  { name: 'Alan', age: 41, city: 'London', tags: [], born: '1912-06-23T00:00:00.000Z' },
  {
    name: 'Edsger',
    age: 72,
    city: 'Rotterdam',
    marks: [
      { of: 'a', n: 1 },
      { of: 'b', n: 5 },
    ],
  },
];

beforeAll(async () => {
  server = await startContractServer();
  for (const person of people) await server.create('people', person);
});
afterAll(() => server.close());

type Parameters = Record<string, string | number | object | readonly (string | number)[]>;

/** An array is a parameter that is repeated, any other object is sent as JSON. */
function read(parameters: Parameters, path = '/rest/people'): Promise<Answer> {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(parameters)) {
    if (Array.isArray(value)) for (const item of value) query.append(name, String(item));
    else query.append(name, typeof value === 'object' ? JSON.stringify(value) : String(value));
  }
  return server.call(`${path}?${query}`);
}

async function names(parameters: Parameters): Promise<unknown[]> {
  const { status, body } = await read(parameters);
  if (status !== 200) throw new Error(JSON.stringify(body));
  return (body as Fields[]).map(({ name }) => name);
}

const everybody = ['Ada', 'Grace', 'Alan', 'Edsger'];

describe('the query parameters', () => {
  test('q is a query in JSON, {} by default, whose field names are case-sensitive', async () => {
    expect(await names({})).toEqual(everybody);
    expect(await names({ q: {} })).toEqual(everybody);
    expect(await names({ q: { city: 'London' } })).toEqual(['Ada', 'Alan']);
    expect(await names({ q: { City: 'London' } })).toEqual([]);
  });

  test('h holds hints, which override max, skip and sort', async () => {
    const h = { $max: 1, $skip: 1, $orderby: { name: -1 } };
    expect(await names({ h, max: 4, skip: 0, sort: 'name' })).toEqual(['Edsger']);
  });

  test('filter finds words in any field', async () => {
    expect(await names({ filter: 'poetry' })).toEqual(['Ada']);
    expect(await names({ filter: 'london' })).toEqual(['Ada', 'Alan']);
  });

  test('sort is by _id unless given, and may be repeated', async () => {
    const ids = ((await read({})).body as Document[]).map(({ _id }) => _id);
    expect(ids).toEqual(ids.toSorted());
    expect(await names({ sort: 'name' })).toEqual(['Ada', 'Alan', 'Edsger', 'Grace']);
    expect(await names({ sort: ['city', 'name'] })).toEqual(['Ada', 'Alan', 'Grace', 'Edsger']);
  });

  test('dir is 1 for ascending and -1 for descending, in pairs with sort', async () => {
    expect(await names({ sort: 'age', dir: 1 })).toEqual(['Ada', 'Alan', 'Edsger', 'Grace']);
    expect(await names({ sort: 'age', dir: -1 })).toEqual(['Grace', 'Edsger', 'Alan', 'Ada']);
    expect(await names({ sort: ['city', 'name'], dir: [1, -1] })).toEqual(['Alan', 'Ada', 'Grace', 'Edsger']);
  });

  test('skip and max are the page, 0 and 1,000 by default', async () => {
    expect(await names({ sort: 'name', skip: 1, max: 2 })).toEqual(['Alan', 'Edsger']);
    expect(JSON.parse((await read({})).headers.get('x-pagination') ?? '')).toMatchObject({ skip: 0, max: 1_000 });
  });

  test('metafields=true adds _keywords, _tags, _version, _created, _createdby, _changed and _changedby', async () => {
    const [plain] = (await read({ max: 1 })).body as Document[];
    expect(Object.keys(plain ?? {}).filter((name) => name.startsWith('_'))).toEqual(['_id']);
    const [whole] = (await read({ max: 1, metafields: 'true' })).body as Document[];
    const added = ['_changed', '_changedby', '_created', '_createdby', '_id', '_keywords', '_tags', '_version'];
    expect(
      Object.keys(whole ?? {})
        .filter((name) => name.startsWith('_'))
        .sort(),
    ).toEqual(added);
  });

  test('totals=true is {"data":[…],"totals":{"total","count","skip","max"}}', async () => {
    const { body } = await read({ totals: 'true', max: 1, skip: 1, sort: 'name' });
    expect(body).toEqual({
      data: [expect.objectContaining({ name: 'Alan' })],
      totals: { total: 4, count: 1, skip: 1, max: 1 },
    });
  });

  test('groupby and aggregate are those of the hints, and aggregate may be repeated', async () => {
    const { body } = await read({ groupby: 'city', aggregate: ['SUM:age', 'MIN:age'], q: { city: 'London' } });
    expect(body).toEqual([
      { groupkey: ['London'], 'SUM age': 77, 'MIN age': expect.objectContaining({ name: 'Ada' }) },
    ]);
    const hints = { $groupby: ['city'], $aggregate: ['SUM:age', 'MIN:age'] };
    expect((await read({ h: hints, q: { city: 'London' } })).body).toEqual(body);
  });

  test('format, or a suffix of the path, is json unless it is html (or csv); js is not offered', async () => {
    for (const [suffix, type] of [
      ['json', 'application/json'],
      ['html', 'text/html'],
      ['csv', 'text/csv'],
    ]) {
      for (const answer of [await read({ format: `${suffix}` }), await read({}, `/rest/people.${suffix}`)])
        expect([answer.status, answer.headers.get('content-type')?.split(';')[0]]).toEqual([200, type]);
    }
    expect((await read({ format: 'js' })).status).toBe(400);
    expect((await read({}, '/rest/people.js')).status).toBe(400);
  });

  test('apikey is the key in the query', async () => {
    expect((await server.call(`/rest/people?apikey=${server.key}`, { key: null })).status).toBe(200);
    expect((await server.call('/rest/people', { key: null })).status).toBe(401);
  });

  test('flatten=true lifts deep properties to the root', async () => {
    await server.create('deep', { a: { b: { c: 1 } } });
    const { body } = await read({ flatten: 'true' }, '/rest/deep');
    expect(body).toEqual([{ _id: expect.any(String), 'a.b.c': 1 }]);
  });

  test('fetchmediadata is not offered: a parameter that is not known is refused with its name', async () => {
    const { status, body } = await read({ fetchmediadata: 'true' });
    expect([status, body]).toMatchObject([400, { errors: [{ field: 'fetchmediadata' }] }]);
  });

  test('validate=false is taken with a bulk POST', async () => {
    const { status } = await server.call('/rest/unchecked?validate=false', { method: 'POST', body: [{ a: 1 }] });
    expect(status).toBe(201);
  });
});

describe('the hints', () => {
  test('$fields {"a":1} shows these fields and _id', async () => {
    const { body } = await read({ h: { $fields: { name: 1 } }, max: 1 });
    expect(body).toEqual([{ _id: expect.any(String), name: 'Ada' }]);
  });

  test('$fields {"a":0} shows all but these', async () => {
    const [document] = (await read({ h: { $fields: { tags: 0, born: 0 } }, max: 1 })).body as Document[];
    expect(document).toEqual({ _id: expect.any(String), name: 'Ada', age: 36, city: 'London' });
  });

  test('$fields never mixes 1 and 0', async () => {
    expect((await read({ h: { $fields: { name: 1, age: 0 } } })).status).toBe(400);
  });

  test('$max is the length of the page', async () => {
    expect(await names({ h: { $max: 2 } })).toEqual(['Ada', 'Grace']);
  });

  test('$skip passes over documents', async () => {
    expect(await names({ h: { $skip: 3 } })).toEqual(['Edsger']);
  });

  test('$orderby sorts, 1 ascending and -1 descending, by several fields in their order', async () => {
    expect(await names({ h: { $orderby: { city: 1, age: -1 } } })).toEqual(['Alan', 'Ada', 'Grace', 'Edsger']);
  });

  test('$groupby makes a row of each group', async () => {
    const { body } = await read({ h: { $groupby: ['city'], $aggregate: ['COUNT:n'] } });
    expect(body).toEqual([
      { groupkey: ['London'], 'COUNT n': 2 },
      { groupkey: ['New York'], 'COUNT n': 1 },
      { groupkey: ['Rotterdam'], 'COUNT n': 1 },
    ]);
  });

  test('$aggregate without groups gives one object', async () => {
    expect((await read({ h: { $aggregate: ['SUM:age'] } })).body).toEqual({ 'SUM age': 234 });
  });

  test('$aggregate-grand-total: true adds the row of all groups together', async () => {
    const h = { $groupby: ['city'], $aggregate: ['SUM:age'], '$aggregate-grand-total': true };
    expect((await read({ h })).body).toEqual(expect.arrayContaining([{ groupkey: [], 'SUM age': 234 }]));
  });
});

describe('the operators', () => {
  const now = Date.now();
  const day = 24 * 3_600_000;

  beforeAll(async () => {
    for (const [name, at] of [
      ['long ago', now - 400 * day],
      ['now', now + day],
    ] as const)
      await server.create('dated', { name, at: new Date(at).toISOString() });
  });

  test.each<[string, object, string[]]>([
    ['$gt', { age: { $gt: 41 } }, ['Grace', 'Edsger']],
    ['$gte', { age: { $gte: 41 } }, ['Grace', 'Alan', 'Edsger']],
    ['$lt', { age: { $lt: 41 } }, ['Ada']],
    ['$lte', { age: { $lte: 41 } }, ['Ada', 'Alan']],
    ['$in', { name: { $in: ['Ada', 'Grace'] } }, ['Ada', 'Grace']],
    ['$nin', { name: { $nin: ['Ada', 'Grace'] } }, ['Alan', 'Edsger']],
    ['$not', { age: { $not: { $gt: 41 } } }, ['Ada', 'Alan']],
    ['$or', { $or: [{ name: 'Ada' }, { city: 'Rotterdam' }] }, ['Ada', 'Edsger']],
    ['$and', { $and: [{ city: 'London' }, { age: { $gt: 40 } }] }, ['Alan']],
    ['$regex', { name: { $regex: 'da$' } }, ['Ada']],
    ['$exists', { tags: { $exists: false } }, ['Edsger']],
    ['$elemMatch', { marks: { $elemMatch: { of: 'b', n: { $gt: 4 } } } }, ['Edsger']],
    ['$bt, both ends included', { age: { $bt: [36, 41] } }, ['Ada', 'Alan']],
    ['$date', { born: { $gt: { $date: '1900-01-01' } } }, ['Grace', 'Alan']],
  ])('%s finds what it says', async (_name, q, found) => {
    expect(await names({ q })).toEqual(found);
  });

  test.each(['$currentDate', '$currentMonth', '$currentYear'])('%s is the begin of the present one', async (name) => {
    const { body } = await read({ q: { at: { $gte: { $date: name } } } }, '/rest/dated');
    expect((body as Fields[]).map((document) => document.name)).toEqual(['now']);
  });

  test('the emptiness of an array is tested by {"field.0":{"$exists":true}}', async () => {
    expect(await names({ q: { 'tags.0': { $exists: true } } })).toEqual(['Ada', 'Grace']);
  });

  test('a plain value is equality, on arrays that it is contained', async () => {
    expect(await names({ q: { age: 36 } })).toEqual(['Ada']);
    expect(await names({ q: { tags: 'navy' } })).toEqual(['Grace']);
  });

  test('a regex is a pattern that may stand anywhere in the text', async () => {
    expect(await names({ q: { city: { $regex: 'ond' } } })).toEqual(['Ada', 'Alan']);
  });
});

describe('the aggregation', () => {
  const aggregate = async (...items: string[]) => (await read({ h: { $aggregate: items } })).body as Fields;

  test.each([
    ['MIN:age', 'Ada'],
    ['MAX:age', 'Grace'],
  ])('%s gives the whole object', async (item, name) => {
    expect((await aggregate(item))[item.replace(':', ' ')]).toMatchObject({ _id: expect.any(String), name });
  });

  test.each([
    ['SUM:age', 234],
    ['AVG:age', 58.5],
  ])('%s gives the value', async (item, value) => {
    expect(await aggregate(item)).toEqual({ [item.replace(':', ' ')]: value });
  });

  test('COUNT:name gives the number of documents under the name that was chosen, COUNT: as "COUNT "', async () => {
    expect(await aggregate('COUNT:people')).toEqual({ 'COUNT people': 4 });
    expect(await aggregate('COUNT:')).toEqual({ 'COUNT ': 4 });
  });

  test.each<[string, unknown[]]>([
    ['city', ['London', 'London', 'New York', 'Rotterdam']],
    ['$YEAR:born', [1815, 1906, 1912, null]],
    ['$MONTH:born', [6, 12, null]],
    ['$DAY:born', [9, 10, 23, null]],
    ['$HOUR:born', [0, null]],
    ['$SEC:born', [0, null]],
    ['$DATE.YYYY-MM:born', ['1815-12', '1906-12', '1912-06', null]],
  ])('the group key %s makes rows with their groupkey', async (key, values) => {
    const { body } = await read({ h: { $groupby: [key], $aggregate: ['COUNT:n'] } });
    const keys = (body as { groupkey: unknown[] }[]).map(({ groupkey }) => groupkey);
    expect(new Set(keys.map(([value]) => value))).toEqual(new Set(values));
    expect(keys.every((groupkey) => groupkey.length === 1)).toBe(true);
  });
});

describe('around a find', () => {
  test('X-Pagination has the totals as JSON, and pages of other origins may read it', async () => {
    const { headers } = await server.call('/rest/people?totals=true&max=1', {
      headers: { origin: 'https://app.example' },
    });
    expect(JSON.parse(headers.get('x-pagination') ?? '')).toEqual({ total: 4, count: 1, skip: 0, max: 1 });
    expect(headers.get('access-control-expose-headers')).toContain('X-Pagination');
  });

  test.each(['max-age=60', 'no-cache'])(
    'Cache-Control: %s of a request is taken, and no answer is an old one',
    async (value) => {
      const headers = { 'cache-control': value };
      const count = async () => ((await server.call('/rest/cached', { headers })).body as Document[]).length;
      const before = await count();
      await server.create('cached', {});
      expect(await count()).toBe(before + 1);
    },
  );

  test('nothing of this was an accident', () => expect(server.accidents).toEqual([]));
});
