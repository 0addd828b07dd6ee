/** Reading collections: the query parameters of restdb.io's contract and ours, over real HTTP and a real Postgres. */
import { createTestDatabase } from '@tidewire/testing/test-database';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestApi, type TestApi } from './api.fixture.js';

type Answer = { status: number; headers: Headers; text: string; body: unknown };
type Parameters = Record<string, string | number | object | readonly string[]>;
type Fields = Record<string, unknown>;

let api: TestApi;
let key: string;

const people: Fields[] = [
  { name: 'Ada', age: 36, city: 'London', tags: ['math', 'poetry'], born: '1815-12-10T00:00:00.000Z' },
  { name: 'Grace', age: 85, city: 'New York', tags: ['navy'], address: { zip: 10001, street: { name: 'Fifth' } } },
  { name: 'Alan', age: 41, city: 'London', tags: [] },
  { name: 'Edsger', age: 72, city: 'Rotterdam' },
  { name: 'Barbara', age: null, city: 'Los Angeles', tags: ['poetry'] },
];

beforeAll(async () => {
  const { address } = await createTestDatabase();
  api = await startTestApi(address);
  ({ key } = await api.createKey({ rest: ['*:*'] }));
  await create('people', people);
});
afterAll(() => api.close());

async function call(path: string, init: RequestInit = {}): Promise<Answer> {
  const headers = { 'x-apikey': key, 'content-type': 'application/json', ...(init.headers as object) };
  const response = await fetch(api.url + path, { ...init, headers });
  const text = await response.text();
  const isJson = response.headers.get('content-type')?.includes('json') && text !== '';
  return { status: response.status, headers: response.headers, text, body: isJson ? JSON.parse(text) : null };
}

async function create(collection: string, documents: Fields[]): Promise<string[]> {
  const { status, body } = await call(`/rest/${collection}`, { method: 'POST', body: JSON.stringify(documents) });
  expect(status).toBe(201);
  return (body as { _id: string }[]).map(({ _id }) => _id);
}

function queryOf(parameters: Parameters): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(parameters)) {
    if (Array.isArray(value)) for (const item of value) query.append(name, String(item));
    else query.append(name, typeof value === 'object' ? JSON.stringify(value) : String(value));
  }
  return query.toString();
}

const read = (collection: string, parameters: Parameters) => call(`/rest/${collection}?${queryOf(parameters)}`);

async function names(parameters: Parameters): Promise<unknown[]> {
  const { status, body, text } = await read('people', parameters);
  expect(`${status} ${text.slice(0, 300)}`).toMatch(/^200 /);
  return (body as Fields[]).map(({ name }) => name);
}

describe('q', () => {
  it.each<[object, string[]]>([
    [{}, ['Ada', 'Grace', 'Alan', 'Edsger', 'Barbara']],
    [{ city: 'London' }, ['Ada', 'Alan']],
    [{ City: 'London' }, []],
    [{ tags: 'poetry' }, ['Ada', 'Barbara']],
    [{ age: { $gt: 40, $lt: 80 } }, ['Alan', 'Edsger']],
    [{ age: { $bt: [36, 41] } }, ['Ada', 'Alan']],
    [{ $or: [{ name: 'Ada' }, { age: { $gte: 85 } }] }, ['Ada', 'Grace']],
    [{ name: { $not: { $regex: '^A' } } }, ['Grace', 'Edsger', 'Barbara']],
    [{ name: { $regex: 'a' } }, ['Ada', 'Grace', 'Alan', 'Barbara']],
    [{ name: { $in: ['Alan', 'nobody'] } }, ['Alan']],
    [{ name: { $nin: ['Alan', 'Ada'] } }, ['Grace', 'Edsger', 'Barbara']],
    [{ 'tags.0': { $exists: true } }, ['Ada', 'Grace', 'Barbara']],
    [{ 'address.street.name': 'Fifth' }, ['Grace']],
    [{ born: { $lt: { $date: '1900-01-01' } } }, ['Ada']],
    [{ _version: 0, name: 'Ada' }, ['Ada']],
  ])('%j finds what it says', async (q, found) => {
    expect(await names({ q })).toEqual(found);
  });

  it('finds a document by its _id, and none by one that nobody has', async () => {
    const [{ _id = '' } = {}] = (await read('people', { q: { name: 'Ada' } })).body as { _id?: string }[];
    expect(await names({ q: { _id } })).toEqual(['Ada']);
    expect(await names({ q: { _id: 'x' } })).toEqual([]);
  });

  it('joins with filter=, which wants all its words, in any field and any case', async () => {
    expect(await names({ filter: 'london' })).toEqual(['Ada', 'Alan']);
    expect(await names({ filter: 'LONDON poetry' })).toEqual(['Ada']);
    expect(await names({ filter: 'poetry', q: { city: 'Los Angeles' } })).toEqual(['Barbara']);
    expect(await names({ filter: 'lond' })).toEqual([]);
  });
});

describe('sort', () => {
  it('takes sort and dir in pairs, ascending without dir', async () => {
    expect(await names({ sort: 'name' })).toEqual(['Ada', 'Alan', 'Barbara', 'Edsger', 'Grace']);
    expect(await names({ sort: 'name', dir: -1 })).toEqual(['Grace', 'Edsger', 'Barbara', 'Alan', 'Ada']);
    expect(await names({ sort: ['city', 'name'], dir: ['1', '-1'] })).toEqual([
      'Alan',
      'Ada',
      'Barbara',
      'Grace',
      'Edsger',
    ]);
  });

  it('puts null and missing values before numbers, as MongoDB does', async () => {
    expect(await names({ sort: 'age' })).toEqual(['Barbara', 'Ada', 'Alan', 'Edsger', 'Grace']);
  });

  it('follows $orderby rather than sort', async () => {
    expect(await names({ sort: 'name', h: { $orderby: { age: -1 } } })).toEqual([
      'Grace',
      'Edsger',
      'Alan',
      'Ada',
      'Barbara',
    ]);
  });
});

describe('h', () => {
  it('overrides max and skip', async () => {
    expect(await names({ max: 5, skip: 0, sort: 'name', h: { $max: 2, $skip: 1 } })).toEqual(['Alan', 'Barbara']);
  });

  it('chooses fields, or leaves them out', async () => {
    const chosen = (await read('people', { q: { name: 'Grace' }, h: { $fields: { name: 1, 'address.zip': 1 } } })).body;
    expect(chosen).toEqual([{ _id: expect.any(String), name: 'Grace', address: { zip: 10001 } }]);
    const [rest] = (await read('people', { q: { name: 'Grace' }, h: { $fields: { address: 0, tags: 0 } } })).body as [
      Fields,
    ];
    expect(rest).toEqual({ _id: expect.any(String), name: 'Grace', age: 85, city: 'New York' });
  });

  it('shows metafields that are chosen by name, and all others only with metafields=true', async () => {
    const q = { name: 'Ada' };
    expect((await read('people', { q, h: { $fields: { name: 1, _version: 1 } } })).body).toEqual([
      { _id: expect.any(String), name: 'Ada', _version: 0 },
    ]);
    const [left] = (await read('people', { q, metafields: 'true', h: { $fields: { tags: 0 } } })).body as [Fields];
    expect(left).toMatchObject({ name: 'Ada', _version: 0, _createdby: 'api' });
    expect(left).not.toHaveProperty('tags');
  });
});

describe('pages', () => {
  it('tell their place in X-Pagination, with the total when it is asked for or known anyhow', async () => {
    const pagination = async (parameters: Parameters) =>
      JSON.parse((await read('people', parameters)).headers.get('x-pagination') ?? 'null');
    expect(await pagination({})).toEqual({ total: 5, count: 5, skip: 0, max: 1000 });
    expect(await pagination({ max: 2 })).toEqual({ count: 2, skip: 0, max: 2 });
    expect(await pagination({ max: 2, totals: 'true' })).toEqual({ total: 5, count: 2, skip: 0, max: 2 });
    expect(await pagination({ skip: 4 })).toEqual({ total: 5, count: 1, skip: 4, max: 1000 });
    expect(await pagination({ skip: 9 })).toEqual({ count: 0, skip: 9, max: 1000 });
    expect(await pagination({ q: { city: 'London' }, max: 1, totals: 'true' })).toEqual({
      total: 2,
      count: 1,
      skip: 0,
      max: 1,
    });
  });

  it('carry the totals around the data with totals=true, counted with the filter', async () => {
    const { body } = await read('people', { q: { city: 'London' }, totals: 'true', max: 1, sort: 'name', dir: -1 });
    expect(body).toMatchObject({ data: [{ name: 'Alan' }], totals: { total: 2, count: 1, skip: 0, max: 1 } });
  });

  it('of none are empty, and have no next', async () => {
    const { body, headers } = await read('people', { max: 0 });
    expect(body).toEqual([]);
    expect(headers.get('x-next-cursor')).toBeNull();
    expect((await read('nobody', { q: { a: 1 }, sort: 'a', totals: 'true' })).body).toMatchObject({
      data: [],
      totals: { total: 0 },
    });
  });
});

describe('cursors', () => {
  const values = [3, 'b', null, 1, undefined, 'a', true, [2], { x: 1 }, 1, -5, 'B', 'b', [], 1e21, false, '', 0.5];
  let collected = 0;

  /** All pages, by the cursor in the header. */
  async function collect(collection: string, parameters: Parameters, between?: () => Promise<unknown>) {
    const ids: string[] = [];
    for (let cursor: string | null = ''; cursor !== null; ) {
      const page = await read(collection, cursor === '' ? parameters : { ...parameters, cursor });
      expect(`${page.status} ${page.status === 200 ? '' : page.text}`).toBe('200 ');
      ids.push(...(page.body as { _id: string }[]).map(({ _id }) => _id));
      cursor = page.headers.get('x-next-cursor');
      await between?.();
    }
    return ids;
  }

  it.each<[string, Parameters]>([
    ['_id', {}],
    ['_id, descending', { sort: '_id', dir: -1 }],
    ['a field of mixed types, ascending', { sort: 'v' }],
    ['a field of mixed types, descending', { sort: 'v', dir: -1 }],
    ['two fields', { sort: ['g', 'v'], dir: ['-1', '1'] }],
    ['a metafield', { sort: '_changed', dir: -1 }],
    ['a nested field, with a filter', { h: { $orderby: { 'deep.n': -1 } }, q: { g: { $gte: 0 } } }],
    ['_id, with a filter', { q: { g: { $lt: 2 } } }],
    ['_id, with metafields', { metafields: 'true' }],
  ])('give each document once, in the order of the whole list: by %s', async (_name, parameters) => {
    collected += 1;
    const collection = `paged${collected}`;
    await create(
      collection,
      values.map((v, n) => ({ ...(v === undefined ? {} : { v }), g: n % 3, deep: { n: n % 4 } })),
    );
    const whole = ((await read(collection, parameters)).body as { _id: string }[]).map(({ _id }) => _id);
    for (const max of [1, 4, 7]) expect(await collect(collection, { ...parameters, max })).toEqual(whole);
  });

  it('stay right while documents come and go: what was there all the time comes exactly once', async () => {
    const many = (stays: boolean) => Array.from({ length: 60 }, (_, n) => ({ n: n % 7, stays }));
    const stay = await create('busy', many(true));
    for (const parameters of [{ sort: 'n', max: 7 }, { sort: 'n', dir: -1, max: 7 }, { max: 7 }] as Parameters[]) {
      const go = await create('busy', many(false));
      const seen = await collect('busy', parameters, async () => {
        const gone = go.splice(0, 5);
        if (gone.length === 0) return;
        await call('/rest/busy/*', { method: 'DELETE', body: JSON.stringify(gone) });
        await create('busy', [{ n: 0 }, { n: 3 }, { n: 6 }]);
      });
      expect(go).toEqual([]);
      expect(new Set(seen).size).toBe(seen.length);
      expect(stay.filter((id) => !seen.includes(id))).toEqual([]);
    }
  });

  it('stay right when the document that the page ended with is gone', async () => {
    const ids = await create('ended', [{ n: 1 }, { n: 2 }, { n: 3 }]);
    const first = await read('ended', { sort: 'n', max: 2 });
    await call(`/rest/ended/${ids[1]}`, { method: 'DELETE' });
    const cursor = first.headers.get('x-next-cursor') ?? '';
    expect((await read('ended', { sort: 'n', max: 2, cursor })).body).toMatchObject([{ n: 3 }]);
  });

  it('stand in a link to the next page, without skip and without the key', async () => {
    const parameters = { sort: 'name', h: { $skip: 1, $max: 2 }, apikey: key };
    const first = await read('people', parameters);
    const link = /^<(\/rest\/people\?[^>]+)>; rel="next"$/.exec(first.headers.get('link') ?? '')?.[1] ?? '';
    expect(link).not.toContain(key);
    const second = await call(link);
    expect((second.body as Fields[]).map(({ name }) => name)).toEqual(['Edsger', 'Grace']);
    expect(second.headers.get('link')).toBeNull();
  });

  it('are refused with skip, for another sort, and when they are damaged', async () => {
    const cursor = (await read('people', { sort: 'name', max: 2 })).headers.get('x-next-cursor') ?? '';
    const refused = async (parameters: Parameters) => {
      const { status, body } = await read('people', parameters);
      expect(status).toBe(400);
      return (body as { errors: { field: string }[] }).errors.map(({ field }) => field.split('/')[0]);
    };
    expect(await refused({ sort: 'name', cursor, skip: 1 })).toEqual(['cursor']);
    expect(await refused({ sort: 'name', cursor, h: { $skip: 1 } })).toEqual(['cursor']);
    expect(await refused({ sort: 'age', cursor })).toEqual(['cursor']);
    expect(await refused({ sort: 'name', dir: -1, cursor })).toEqual(['cursor']);
    expect(await refused({ cursor })).toEqual(['cursor']);
    for (const damaged of ['', 'x', cursor.slice(0, -3), `${cursor}!`, '%00', 'null', '[]', 'e30', 'WyJhIl0'])
      expect(await refused({ sort: 'name', cursor: damaged })).toEqual(['cursor']);
  });
});

describe('aggregation', () => {
  it('counts and sums everything into one object, by hints or by parameters', async () => {
    const byHints = await read('people', { h: { $aggregate: ['COUNT:people', 'SUM:age'] } });
    expect(byHints.status).toBe(200);
    expect(byHints.body).toMatchObject({ 'SUM age': 234 });
    expect(JSON.stringify(byHints.body)).toContain('5');
    expect((await read('people', { aggregate: ['COUNT:people', 'SUM:age'] })).body).toEqual(byHints.body);
  });

  it('groups what the filter lets through into rows with their keys', async () => {
    const { body, headers } = await read('people', { q: { age: { $gt: 0 } }, groupby: 'city', aggregate: 'AVG:age' });
    expect(body).toEqual(expect.arrayContaining([expect.objectContaining({ groupkey: ['London'], 'AVG age': 38.5 })]));
    expect(body).toHaveLength(3);
    expect(JSON.parse(headers.get('x-pagination') ?? '')).toMatchObject({ total: 3, count: 3 });
  });

  it('answers an unknown collection as an empty one', async () => {
    expect((await read('nobody', { groupby: 'city', aggregate: 'SUM:n' })).body).toEqual([]);
    expect((await read('nobody', { aggregate: 'COUNT:n' })).status).toBe(200);
  });

  it('comes as a table, too', async () => {
    const { text } = await read('people', { groupby: 'city', aggregate: 'SUM:age', format: 'csv', q: { age: 36 } });
    expect(text).toContain('SUM age');
    expect(text.split('\r\n')).toHaveLength(3);
  });

  it('refuses what it would have to pass over', async () => {
    for (const parameters of [{ sort: 'age' }, { h: { $fields: { a: 1 } } }, { cursor: 'x' }] as Parameters[]) {
      const { status } = await read('people', { aggregate: 'SUM:age', ...parameters });
      expect(status).toBe(400);
    }
  });
});

describe('formats', () => {
  it('gives CSV by suffix and by parameter, with a header row and nested values as JSON', async () => {
    const parameters = { q: { name: 'Grace' } };
    const byParameter = await read('people', { ...parameters, format: 'csv' });
    expect(byParameter.headers.get('content-type')).toBe('text/csv; charset=utf-8; header=present');
    expect(byParameter.headers.get('content-disposition')).toBe('attachment; filename="people.csv"');
    expect(byParameter.text).toMatch(
      /^_id,name,age,city,tags,address\r\n[0-9a-f]{24},Grace,85,New York,"\[""navy""\]","\{""zip"":10001,""street"":\{""name"":""Fifth""\}\}"\r\n$/,
    );
    expect((await read('people.csv', parameters)).text).toBe(byParameter.text);
    expect((await read('people.csv', { ...parameters, flatten: 'true' })).text).toContain('address.street.name');
    expect((await read('people.csv', { q: { name: 'nobody' } })).text).toBe('_id\r\n');
  });

  it('escapes formulas in tables only when it is asked to', async () => {
    await create('formulas', [{ a: '=1+1', n: -1 }]);
    expect((await read('formulas.csv', {})).text).toContain(',=1+1,-1\r\n');
    expect((await read('formulas.csv', { escapeformulas: 'true' })).text).toContain(",'=1+1,-1\r\n");
  });

  it('gives HTML in which nothing of a document can run', async () => {
    const [id] = await create('pages', [{ '<b>': '<script>alert(1)</script>', link: 'javascript:alert(1)' }]);
    for (const path of ['/rest/pages.html', '/rest/pages?format=html', `/rest/pages/${id}.html`]) {
      const { status, headers, text } = await call(path);
      expect(status).toBe(200);
      expect(headers.get('content-type')).toBe('text/html; charset=utf-8');
      expect(headers.get('content-security-policy')).toMatch(/default-src 'none'.*style-src 'none'.*sandbox/);
      expect(headers.get('x-content-type-options')).toBe('nosniff');
      expect(headers.get('content-disposition')).toMatch(/^inline; filename="pages/);
      expect(text).toContain('<td>&lt;script&gt;alert(1)&lt;/script&gt;</td>');
      expect(text).not.toMatch(/<script|<b>|<a /);
    }
  });

  it('takes .json as the usual answer, and refuses a suffix and a parameter that differ', async () => {
    expect((await call('/rest/people.json')).body).toHaveLength(5);
    expect((await call('/rest/people.csv?format=json')).status).toBe(400);
    expect((await call('/rest/people?format=xml')).body).toMatchObject({
      errors: [{ field: 'format', allowed: 'json, csv, html' }],
    });
    expect((await call('/rest/people.xml')).status).toBe(400);
  });

  it('asks for the grant of the collection, whatever the suffix', async () => {
    const other = await api.createKey({ rest: ['GET:other'] });
    for (const path of ['/rest/people.csv', '/rest/people.html', '/rest/people.json'])
      expect((await call(path, { headers: { 'x-apikey': other.key } })).status).toBe(403);
    expect((await call('/rest/other.csv', { headers: { 'x-apikey': other.key } })).status).toBe(200);
  });

  it('lifts nested properties to the root with flatten=true', async () => {
    const { body } = await read('people', { q: { name: 'Grace' }, flatten: 'true' });
    expect(body).toEqual([
      {
        _id: expect.any(String),
        name: 'Grace',
        age: 85,
        city: 'New York',
        tags: ['navy'],
        'address.zip': 10001,
        'address.street.name': 'Fifth',
      },
    ]);
  });
});

describe('entity tags', () => {
  it('stay as long as the document does, and answer If-None-Match with 304', async () => {
    const [id = ''] = await create('tagged', [{ n: 1 }]);
    const first = await call(`/rest/tagged/${id}`);
    const tag = first.headers.get('etag') ?? '';
    expect(tag).toMatch(/^"0-[0-9a-z]+"$/);
    for (const header of [tag, `W/${tag}`, `"x", ${tag}`, '*']) {
      const again = await call(`/rest/tagged/${id}`, { headers: { 'if-none-match': header } });
      expect(again).toMatchObject({ status: 304, text: '' });
      expect(again.headers.get('etag')).toBe(tag);
    }
    await call(`/rest/tagged/${id}`, { method: 'PATCH', body: '{"n":2}' });
    const changed = await call(`/rest/tagged/${id}`, { headers: { 'if-none-match': tag } });
    expect(changed).toMatchObject({ status: 200, body: { n: 2 } });
    expect(changed.headers.get('etag')).not.toBe(tag);
    await call(`/rest/tagged/${id}`, { method: 'DELETE' });
    expect((await call(`/rest/tagged/${id}`, { headers: { 'if-none-match': '*' } })).status).toBe(404);
  });
});

describe('a query that takes too long', () => {
  it('is stopped and answered with 422, keeps no connection from others, and the next one is served', async () => {
    const holder = await api.connections.pool.connect();
    try {
      await holder.query('BEGIN; LOCK TABLE documents IN ACCESS EXCLUSIVE MODE');
      // As many as the pool has connections.
      const slow = Promise.all(Array.from({ length: 10 }, () => read('people', { q: { name: 'Ada' } })));
      const started = Date.now();
      for (let n = 0; n < 10; n += 1) expect((await call('/ready')).status).toBe(200);
      expect(Date.now() - started).toBeLessThan(1_500);
      for (const { status, body } of await slow)
        expect({ status, body }).toMatchObject({ status: 422, body: { code: 'query_too_slow' } });
    } finally {
      await holder.query('ROLLBACK');
      holder.release();
    }
    expect(await names({ q: { name: 'Ada' } })).toEqual(['Ada']);
  });
});

describe('hostile input', () => {
  const deep = (depth: number, wrap: (inner: unknown) => unknown): unknown => {
    let value: unknown = { a: 1 };
    for (let n = 0; n < depth; n += 1) value = wrap(value);
    return value;
  };
  const cases: [name: string, parameters: Parameters, place: RegExp][] = [
    ['q that is no JSON', { q: '{"a":' }, /^q$/],
    ['q in single quotes', { q: "{'a':1}" }, /^q$/],
    ['empty q', { q: '' }, /^q$/],
    ['q that is a list', { q: '[]' }, /^q$/],
    ['q that is a text', { q: '"x"' }, /^q$/],
    ['an unknown operator', { q: { a: { $where: '1' } } }, /^q\/a\/\$where$/],
    ['an unknown logical operator', { q: { $where: '1' } }, /^q\/\$where$/],
    ['$or of no list', { q: { $or: { a: 1 } } }, /^q\/\$or/],
    ['$in of no list', { q: { a: { $in: 1 } } }, /^q\/a\/\$in/],
    ['$bt of one', { q: { a: { $bt: [1] } } }, /^q\/a\/\$bt/],
    ['a regex that is none', { q: { a: { $regex: '(' } } }, /^q\/a\/\$regex/],
    ['a regex that explodes', { q: { a: { $regex: '(((a{100}){100}){100}){100}' } } }, /^q\/a\/\$regex/],
    ['a date that is none', { q: { a: { $gt: { $date: 'yesterday' } } } }, /^q\/a/],
    ['NUL', { q: '{"a":"x\\u0000"}' }, /^q/],
    ['NUL in a path', { q: '{"a\\u0000":1}' }, /^q/],
    ['a lone surrogate', { q: '{"a":"\\ud800"}' }, /^q/],
    ['1e400', { q: '{"a":1e400}' }, /^q/],
    ['depth', { q: deep(50, (inner) => ({ $and: [inner] })) as object }, /^q/],
    ['great depth', { q: `${'{"a":'.repeat(500)}1${'}'.repeat(500)}` }, /^q/],
    ['too many conditions', { q: { $or: Array.from({ length: 200 }, (_, n) => ({ a: n })) } }, /^q/],
    ['h that is no JSON', { h: '{' }, /^h$/],
    ['h that is a list', { h: '[]' }, /^h$/],
    ['an unknown hint', { h: { $explain: true } }, /^h\/\$explain/],
    ['$max below zero', { h: { $max: -1 } }, /^h\/\$max/],
    ['$max beyond the limit', { h: { $max: 10_001 } }, /^h\/\$max/],
    ['$max as a text', { h: { $max: '5' } }, /^h\/\$max/],
    ['$skip of a half', { h: { $skip: 0.5 } }, /^h\/\$skip/],
    ['mixed $fields', { h: { $fields: { a: 1, b: 0 } } }, /^h\/\$fields/],
    ['$orderby sideways', { h: { $orderby: { a: 2 } } }, /^h\/\$orderby/],
    ['$orderby as SQL', { h: { $orderby: 'name; DROP TABLE documents' } }, /^h\/\$orderby/],
    ['an unknown aggregate', { h: { $aggregate: ['EVAL:a'] } }, /^h\/\$aggregate/],
    ['an unknown aggregate parameter', { aggregate: 'EVAL:a' }, /^aggregate/],
    ['an unknown group function', { groupby: '$CENTURY:a' }, /^groupby/],
    ['two directions without a sort', { dir: ['1', '1'] }, /^dir/],
    ['a sort by an operator', { sort: '$where' }, /^sort/],
    ['a direction of 2', { sort: 'a', dir: 2 }, /^dir/],
    ['more directions than sorts', { sort: 'a', dir: ['1', '1'] }, /^dir/],
    ['too many sorts', { sort: Array.from({ length: 50 }, (_, n) => `f${n}`) }, /^sort/],
    ['q given twice', { q: ['{}', '{}'] }, /^q$/],
    ['a filter without words', { filter: '!!!' }, /^filter/],
    ['a filter of a thousand words', { filter: 'x '.repeat(1_000) }, /^filter/],
    ['an unknown parameter', { query: '{}' }, /^query$/],
  ];

  it.each(cases)('%s: 400 that names the place', async (_name, parameters, place) => {
    const { status, text, body } = await read('people', parameters);
    expect(`${status} ${text.slice(0, 400)}`).toMatch(/^400 /);
    const { code, errors } = body as { code: string; errors: { field: string; message: string }[] };
    expect(code).toBe('bad_request');
    expect(errors[0]?.field).toMatch(place);
    expect(text).not.toMatch(/node_modules|\bat \w+ \(|SELECT |syntax error|undefined/i);
  });

  it.each<[string, Parameters]>([
    ['a quote in a path', { q: { "a'b": 1 } }],
    ['SQL in a path', { q: { 'a") OR 1=1 --': 1 }, sort: "a'; DROP TABLE documents; --" }],
    ['SQL in a value', { q: { a: "'; DROP TABLE documents; --" } }],
    ['jsonpath in a path', { q: { 'a ? (@ > 0)': 1, $$: 1, '*': 1 } }],
    ['__proto__ in a path', { q: '{"__proto__":{"a":1}}' }],
    ['constructor', { q: { constructor: 1 }, sort: 'toString' }],
    ['an empty path', { q: { '': 1, 'a..b': 2 } }],
    ['a long path', { sort: Array.from({ length: 60 }, () => 'a').join('.') }],
    ['a large skip alone', { skip: 9_007_199_254_740_991 }],
    ['a large skip', { skip: 9_007_199_254_740_991, sort: 'a' }],
    ['a pattern that takes long elsewhere', { q: { name: { $regex: '^(a+)+$' } } }],
    ['unicode', { q: { 'näme😀': '\u2028😀' }, sort: 'ß' }],
  ])('%s: an answer or a refusal, never an accident', async (_name, parameters) => {
    const { status } = await read('people', parameters);
    expect([200, 400]).toContain(status);
    expect((await call('/rest/people')).body).toHaveLength(5);
    expect(({} as Fields).a).toBeUndefined();
  });

  it('random queries, hints, sorts and cursors are answered or refused with places, never an accident', async () => {
    const name = fc.constantFrom(
      'name',
      'age',
      'tags',
      'tags.0',
      'address.street.name',
      '_id',
      '_changed',
      '$or',
      'ä',
      '',
    );
    const scalar = fc.oneof(
      fc.constantFrom<unknown>(null, true, 1, -1, 1e308, 'Ada', 'London', '', '^A', '\u0000', '2020-01-01'),
      fc.string({ unit: 'binary', maxLength: 5 }),
      fc.double(),
    );
    const operator = fc.constantFrom(
      ...['$gt', '$lte', '$in', '$nin', '$not', '$and', '$nor', '$regex', '$exists', '$elemMatch', '$bt', '$date'],
      ...['$size', '$all', '$type', '$ne', '$currentDate', '$text', '$options'],
    );
    const { value } = fc.letrec((tie) => ({
      value: fc.oneof({ maxDepth: 4 }, scalar, tie('list'), tie('object')),
      list: fc.array(tie('value'), { maxLength: 3 }),
      object: fc.dictionary(fc.oneof(name, operator), tie('value'), { maxKeys: 3 }),
    }));
    const hint = fc.constantFrom('$fields', '$max', '$skip', '$orderby', '$groupby', '$aggregate', '$x');
    const parameters = fc.record(
      {
        q: value.map((item) => JSON.stringify(item)),
        h: fc.dictionary(hint, value, { maxKeys: 2 }).map((item) => JSON.stringify(item)),
        sort: fc.oneof(name, fc.string({ unit: 'binary', maxLength: 8 })),
        dir: fc.constantFrom('1', '-1', '0'),
        filter: fc.string({ unit: 'binary', maxLength: 10 }),
        groupby: fc.oneof(name, fc.constantFrom('$YEAR:born', '$DATE.YYYY-MM:born', '$:x')),
        aggregate: fc.oneof(name, fc.constantFrom('SUM:age', 'MIN:name', 'COUNT:', 'AVG:tags')),
        cursor: fc.base64String({ maxLength: 40 }),
        format: fc.constantFrom('json', 'csv', 'html'),
        totals: fc.constantFrom('true', 'false'),
      },
      { requiredKeys: [] },
    );
    await fc.assert(
      fc.asyncProperty(parameters, async (given) => {
        const { status, text, body } = await read('people', given);
        expect([200, 400]).toContain(status);
        if (status === 400) {
          const { code, errors } = body as { code: string; errors: { field: string; message: string }[] };
          expect(code).toBe('bad_request');
          expect(errors.length).toBeGreaterThan(0);
          for (const { field, message } of errors) expect(field && message).toBeTruthy();
          expect(text).not.toMatch(/node_modules|SELECT |syntax error/i);
        }
      }),
      { numRuns: 400 },
    );
    expect(api.accidents).toEqual([]);
  });

  it('finds nothing of another database, whatever the query', async () => {
    const { prisma } = api.connections;
    const other = await prisma.database.create({ data: { name: 'other', settings: {}, log: { create: {} } } });
    const lists = { rest: ['*:*'], listen: [], publish: [], origins: [] };
    const foreign = await api.apiKeys.create(other.id, { name: 'x', ...lists });
    const queries = [
      'q={"$or":[{},{"a":1}]}',
      'sort=_id&dir=-1',
      'totals=true&q={"$nor":[{"a":1}]}',
      'aggregate=COUNT:n',
    ];
    for (const query of queries) {
      const { status, text } = await call(`/rest/people?${query}`, { headers: { 'x-apikey': foreign.key } });
      expect(status).toBe(200);
      expect(text).not.toMatch(/Ada|[1-9]\d*:?.*London/);
    }
  });

  it('logged no accident in all of this', () => expect(api.accidents).toEqual([]));
});
