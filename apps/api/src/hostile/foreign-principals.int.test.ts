/**
 * Whoever may not: every route with every kind of caller and every kind of object. Nothing foreign is read, written or heard, and what belongs to another
 * database is answered as what nobody has. The requests are made from the route table, so a new route is attacked as soon as it stands there.
 */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type RouteEntry, routeTable } from '../openapi/route-table.js';
import {
  type Answer,
  type Ask,
  createTally,
  eachOf,
  escapeText,
  expectRefusal,
  expectTried,
  type HostileApi,
  missingId,
  startHostileApi,
} from './hostile.fixture.js';

type Owned = { key: string; ids: string[]; deleted: string; cursor: string; head: number };

let hostile: HostileApi;
let otherDatabaseId: number;
let cookie: string;
/** What is in the database that is attacked, and in the one of the foreign key. */
let mine: Owned;
let theirs: Owned;
const sharedId = '5f0000000000000000000abc';
const principals = new Map<string, Principal>();

type Principal = {
  headers: Record<string, string>;
  /** What a route answers that it may not use, or null for one that it may. */
  refusal(route: RouteEntry, collection: string): readonly number[] | null;
};

beforeAll(async () => {
  hostile = await startHostileApi();
  const { api } = hostile;
  cookie = await hostile.signIn();
  otherDatabaseId = await hostile.createDatabase('other');
  const everything = { name: 'all', rest: ['*:*'], listen: ['*:*'], publish: ['*'], origins: [] };
  const { key: foreignKey } = await api.apiKeys.create(otherDatabaseId, everything);
  mine = await fill(hostile.key, 'secret-a', 40);
  theirs = await fill(foreignKey, 'secret-b', 4);
  await definePrincipals();
});
afterEach(() => expect(hostile.api.accidents).toEqual([]));
afterAll(() => hostile.close());

/** The same names, and one _id, in each database; different secrets. */
async function fill(key: string, secret: string, count: number): Promise<Owned> {
  const send = (ask: Ask) => hostile.send({ ...ask, headers: { ...ask.headers, 'x-apikey': key } });
  const documents = Array.from({ length: count }, (_, n) => ({ n, text: `${secret}-${n}` }));
  const made = await send({ method: 'POST', path: '/rest/target', body: JSON.stringify(documents) });
  const ids = (JSON.parse(made.text) as { _id: string }[]).map(({ _id }) => _id);
  const shared = JSON.stringify({ _id: sharedId, text: `${secret}-shared` });
  await send({ method: 'POST', path: '/rest/target/import?format=ndjson&keepIds=true', body: shared });
  await send({ method: 'POST', path: `/rest/only-${secret.at(-1)}`, body: JSON.stringify({ text: `${secret}-only` }) });
  await send({ method: 'POST', path: '/rest/elsewhere', body: JSON.stringify({ text: `${secret}-elsewhere` }) });
  const deleted = ids.pop() ?? '';
  const gone = await send({ method: 'DELETE', path: `/rest/target/${deleted}` });
  const page = await send({ path: '/rest/target?max=1&sort=n' });
  return { key, ids, deleted, cursor: String(page.headers['x-next-cursor']), head: Number(gone.headers['x-event-id']) };
}

async function definePrincipals(): Promise<void> {
  const { api, key } = hostile;
  const grant = async (grants: Parameters<typeof api.createKey>[0]) => (await api.createKey(grants)).key;
  const revoked = await api.createKey({ rest: ['*:*'], listen: ['*:*'] });
  await api.apiKeys.revoke(api.databaseId, revoked.id);
  const readOnly = await grant({ rest: ['GET:*'] });
  const elsewhere = await grant({ rest: ['*:elsewhere'] });
  const lastCharacter = key.at(-1) === 'a' ? 'b' : 'a';
  const unauthenticated = () => [401];
  const ungranted = (route: RouteEntry, collection: string) =>
    collection === 'elsewhere' && route.path !== '/events' ? null : [400, 403];
  const bare: [string, Record<string, string>][] = [
    ['nobody', {}],
    ['a malformed key', { 'x-apikey': 'x' }],
    ['a key with a changed secret', { 'x-apikey': key.slice(0, -1) + lastCharacter }],
    ['a key that was cut', { authorization: `Bearer ${key.slice(0, -10)}` }],
    ['a revoked key', { 'x-apikey': revoked.key }],
    ['an admin without a key', { cookie }],
  ];
  for (const [name, headers] of bare) principals.set(name, { headers, refusal: unauthenticated });
  principals.set('two keys', {
    headers: { 'x-apikey': key, authorization: `Bearer ${readOnly}` },
    refusal: () => [400],
  });
  principals.set('a key without grants', { headers: { 'x-apikey': await grant({}) }, refusal: () => [400, 403] });
  principals.set('a key that may publish', {
    headers: { 'x-apikey': await grant({ publish: ['*'] }) },
    refusal: () => [400, 403],
  });
  principals.set('a key of another collection', {
    headers: { authorization: `Bearer ${elsewhere}` },
    refusal: ungranted,
  });
  principals.set('a key that may read', {
    headers: { 'x-apikey': readOnly },
    refusal: ({ method, path }) => (method === 'GET' && path !== '/events' ? null : [400, 403]),
  });
  principals.set('a key of a page elsewhere', {
    headers: { 'x-apikey': key, origin: 'https://evil.example' },
    refusal: () => [403],
  });
}

/** Those that this service has: streams and publishing are the realtime service's. */
const isServedHere = ({ path }: RouteEntry) => !/^\/(realtime|channels)\b|\/stream$/.test(path);
const keyRoutes = routeTable.filter((route) => route.security === 'key' && isServedHere(route));
const adminRoutes = routeTable.filter((route) => route.security === 'admin' && isServedHere(route));

/** A good value for each parameter, so that only the caller is at fault. */
function goodValue({ name, schema }: { name: string; schema: Readonly<Record<string, unknown>> }, id: string): string {
  const known: Record<string, string> = {
    q: JSON.stringify({ $or: [{ _id: id }, { text: { $regex: 'secret' } }] }),
    h: '{"$fields":{"text":1},"$orderby":{"text":1}}',
    filter: 'secret',
    sort: 'text',
    dir: '-1',
    cursor: mine.cursor,
    groupby: 'text',
    aggregate: 'MAX:text',
    skip: '0',
    max: '20',
    since: '0',
    before: '1000000',
    lastEventId: '0',
  };
  const fixed = known[name];
  if (fixed !== undefined) return fixed;
  if (Array.isArray(schema.enum)) return String(schema.enum[0]);
  return schema.type === 'boolean' ? 'true' : '1';
}

type Attack = { route: RouteEntry; variant: string; collection: string; object: string; id: string; ask: Ask };

/** Every route, bare and with each of its parameters, on every object. */
function attacksOn(): Attack[] {
  return keyRoutes.flatMap((route) => {
    const variants = ['', ...(route.query ?? []).map(({ name }) => name)];
    return variants.flatMap((variant) =>
      objectsOf(route).map(({ object, collection, id }) => ({
        route,
        variant,
        collection,
        object,
        id,
        ask: askFor(route, variant, collection, id),
      })),
    );
  });
}

function objectsOf({ path, method }: RouteEntry): { object: string; collection: string; id: string }[] {
  const at = (object: string, id: string, collection = 'target') => ({ object, collection, id });
  if (!path.includes('{collection}')) return [at('the log', '')];
  if (!path.includes('{id}')) {
    return ['target', 'only-a', 'only-b', 'nothing', 'elsewhere']
      .map((collection) => at(collection, mine.ids[0] ?? '', collection))
      .concat(at('malformed', '', 'a.b'));
  }
  const bulk = method === 'PATCH' || method === 'DELETE' ? [at('all of a query', '*')] : [];
  const [own = '', another = ''] = mine.ids;
  return [
    ...[
      at('own', own),
      at('another own', another),
      at('theirs', theirs.ids[0] ?? ''),
      at('shared', sharedId),
      at('missing', missingId),
      at('deleted', mine.deleted),
    ],
    ...[at('malformed', 'x%27y'), at('elsewhere', own, 'elsewhere'), ...bulk],
  ];
}

function askFor(route: RouteEntry, variant: string, collection: string, id: string): Ask {
  const filled: Record<string, string> = { collection, id, eventId: String(theirs.head) };
  const path = route.path.replaceAll(/\{(\w+)\}/g, (_whole, name: string) => filled[name] ?? 'x');
  const parameters = (route.query ?? [])
    .filter(({ name }) => name === variant)
    .map((parameter) => `${parameter.name}=${escapeText(goodValue(parameter, id))}`);
  if (id === '*') parameters.push(`q=${escapeText(JSON.stringify({ _id: { $in: mine.ids } }))}`);
  const body = route.method === 'GET' || route.method === 'DELETE' ? undefined : '{"text":"forged"}';
  return { method: route.method, path: parameters.length === 0 ? path : `${path}?${parameters.join('&')}`, body };
}

const titleOf = ({ route, variant, object }: Attack, who: string) =>
  `${who}: ${route.method} ${route.path} ${variant} on ${object}`;
/** Without what may differ between two answers that say the same. */
const meaningOf = ({ status, text }: Answer, id: string) =>
  `${status} ${text.replaceAll(/"requestId":"[^"]*"/g, '').replaceAll(id === '' ? '\0' : id, '<id>')}`;

const tally = createTally();

async function attack(ask: Ask, headers: Record<string, string>): Promise<Answer> {
  const type: Record<string, string> = ask.body === undefined ? {} : { 'content-type': 'application/json' };
  const answer = await hostile.sendBare({ ...ask, headers: { ...type, ...headers } });
  tally.note(answer);
  return answer;
}

describe('callers that may not', () => {
  it('read, write and hear nothing of a collection, whatever its state, and cannot tell what is there', {
    timeout: 120_000,
  }, async () => {
    const before = await hostile.takeStock();
    for (const [who, { headers, refusal }] of principals) {
      const said = new Map<string, string>();
      // Who may nothing is not asked for parameters: some are enough.
      const mayNothing = keyRoutes.every((route) => refusal(route, 'elsewhere') !== null);
      const attacks = attacksOn().filter(({ variant }, index) => !mayNothing || variant === '' || index % 4 === 0);
      await eachOf(attacks, 4, async (one) => {
        const refusals = refusal(one.route, one.collection);
        if (refusals === null) return;
        // A field that has no children is no route.
        const expected = one.route.path.includes('{field}') ? [...refusals, 404] : refusals;
        const what = titleOf(one, who);
        const answer = await attack(one.ask, headers);
        expect(expected.includes(answer.status) ? what : `${what} → ${answer.status}`).toBe(what);
        expectRefusal(answer, what);
        expect(answer.text, what).not.toContain('secret');
        if (one.object === 'malformed' || one.collection !== 'target') return;
        // The same for every document of the collection, whether it is there or not.
        const route = `${one.route.id} ${one.variant}`;
        const meaning = meaningOf(answer, one.id);
        expect(`${what} ${meaning}`).toBe(`${what} ${said.get(route) ?? meaning}`);
        said.set(route, meaning);
      });
      expect(`${who} ${await hostile.takeStock()}`).toBe(`${who} ${before}`);
    }
  });

  it('but may read get what is there of their own database, and nothing else', async () => {
    const before = await hostile.takeStock();
    let shown = 0;
    for (const [who, { headers, refusal }] of principals) {
      // An export too many at a time would be refused for that.
      await eachOf(attacksOn(), 3, async (one) => {
        if (one.route.method !== 'GET' || refusal(one.route, one.collection) !== null) return;
        const answer = await attack(one.ask, headers);
        expect(answer.status, titleOf(one, who)).toBeLessThan(500);
        expect(answer.text, titleOf(one, who)).not.toContain('secret-b');
        if (answer.text.includes('secret-a')) shown += 1;
      });
    }
    expect(shown).toBeGreaterThan(50);
    expect(await hostile.takeStock()).toBe(before);
  });
});

describe('a key of another database', () => {
  const foreign = () => ({ 'x-apikey': theirs.key });

  it('finds, changes and hears nothing of this one; what is ours is to it what nobody has', {
    timeout: 120_000,
  }, async () => {
    const before = await hostile.takeStock(hostile.api.databaseId);
    await eachOf(attacksOn(), 1, async (one) => {
      const what = titleOf(one, 'a foreign key');
      const answer = await attack(one.ask, foreign());
      expect(`${what} → ${answer.status}`).toMatch(/→ [24]\d\d$/);
      expect(answer.text, what).not.toContain('secret-a');
      const isOurs = ['own', 'another own', 'deleted'].includes(one.object);
      if (!isOurs) return;
      const nobodys = await attack(askFor(one.route, one.variant, one.collection, missingId), foreign());
      expect(`${what} ${meaningOf(answer, one.id)}`).toBe(`${what} ${meaningOf(nobodys, missingId)}`);
    });
    expect(await hostile.takeStock(hostile.api.databaseId)).toBe(before);
  });

  it('changes and deletes none of ours in bulk, by ids or by a query', async () => {
    const before = await hostile.takeStock(hostile.api.databaseId);
    const ids = JSON.stringify([...mine.ids, mine.deleted, missingId]);
    const query = escapeText(
      JSON.stringify({ $or: [{ _id: { $in: mine.ids.slice(0, 20) } }, { text: { $regex: 'secret-a' } }] }),
    );
    for (const ask of [
      { method: 'DELETE', path: '/rest/target/*', body: ids },
      { method: 'DELETE', path: '/rest/only-a/*', body: ids },
      { method: 'DELETE', path: `/rest/target/*?q=${query}` },
      { method: 'PATCH', path: `/rest/target/*?q=${query}`, body: '{"text":"forged"}' },
    ]) {
      const answer = await attack(ask, foreign());
      expect([answer.status, (JSON.parse(answer.text) as { result: string[] }).result], ask.path).toEqual([200, []]);
    }
    expect(await hostile.takeStock(hostile.api.databaseId)).toBe(before);
  });

  it('imports documents with our ids into its own database, beside ours', async () => {
    const before = await hostile.takeStock(hostile.api.databaseId);
    const body = mine.ids.map((_id) => JSON.stringify({ _id, text: 'secret-b-copy' })).join('\n');
    const answer = await attack(
      { method: 'POST', path: '/rest/copies/import?format=ndjson&keepIds=true', body },
      foreign(),
    );
    expect(answer.text).toContain(`"imported":${mine.ids.length},"refusedCount":0`);
    expect(await hostile.takeStock(hostile.api.databaseId)).toBe(before);
  });

  it('goes on from our cursors and event ids in its own order only', async () => {
    for (const query of [
      `sort=n&cursor=${mine.cursor}`,
      `cursor=${mine.cursor}`,
      `sort=n&max=1&cursor=${mine.cursor}&totals=true`,
    ]) {
      const answer = await attack({ path: `/rest/target?${query}` }, foreign());
      expect(answer.text, query).not.toContain('secret-a');
    }
    const { text } = await attack({ path: '/events?since=0&max=1000' }, foreign());
    expect(text).toContain('secret-b');
    expect(text).not.toContain('secret-a');
    const beyond = await attack({ path: '/events?since=1000000' }, foreign());
    expect(beyond.text).toContain('"reason":"unknown"');
    for (let eventId = 0; eventId <= mine.head; eventId += 1) {
      const [id = ''] = mine.ids;
      expect((await attack({ path: `/rest/target/${id}/asof/${eventId}` }, foreign())).text).not.toContain('secret-a');
    }
  });

  it('does not get the answer that an Idempotency-Key has in this database, nor does another key of it', async () => {
    const headers = { 'idempotency-key': 'the-same-everywhere' };
    const ask = { method: 'POST', path: '/rest/once', body: '{"text":"said-once"}' };
    const keys = [hostile.key, theirs.key, (await hostile.api.createKey({ rest: ['*:*'] })).key];
    const ids: string[] = [];
    for (const key of [...keys, ...keys]) {
      const answer = await attack(ask, { ...headers, 'x-apikey': key });
      expect(answer.status).toBe(201);
      ids.push((JSON.parse(answer.text) as { _id: string })._id);
    }
    expect(new Set(ids).size).toBe(3);
    expect(ids.slice(3)).toEqual(ids.slice(0, 3));
    for (const [who, { headers: own, refusal }] of principals) {
      const route = keyRoutes.find(({ id }) => id === 'createDocuments');
      if (route === undefined || refusal(route, 'once') === null) continue;
      const answer = await attack(ask, { ...headers, ...own });
      expectRefusal(answer, who);
      expect(answer.text, who).not.toContain('said-once');
      for (const id of ids) expect(answer.text, who).not.toContain(id);
    }
  });
});

describe('a reference', () => {
  const referring = (collection: string, id: string) =>
    JSON.stringify({ text: 'refers', owner: { $ref: collection, $id: id }, all: [{ $ref: collection, $id: id }] });
  const reads = [
    '',
    '?q=%7B%22text%22%3A%22refers%22%7D',
    '?sort=owner.text',
    '?filter=secret',
    '?groupby=owner.text&aggregate=MAX:owner.text',
    '?format=csv',
    '?flatten=true',
    '?idtolink=true',
    '?h=%7B%22%24fields%22%3A%7B%22owner.text%22%3A1%7D%7D',
  ];

  it('shows nothing of a collection that the key may not read, nor lets it be asked about', async () => {
    const { key } = await hostile.api.createKey({ rest: ['*:referring'] });
    const elsewhere = await hostile.send({ path: '/rest/elsewhere?max=1' });
    const [{ _id = '' } = {}] = JSON.parse(elsewhere.text) as { _id: string }[];
    expect(elsewhere.text).toContain('secret-a');
    const made = await attack(
      { method: 'POST', path: '/rest/referring', body: referring('elsewhere', _id) },
      { 'x-apikey': key },
    );
    expect(`${made.status} ${made.text}`).toMatch(/^201 (?!.*secret)/);
    const { _id: id } = JSON.parse(made.text) as { _id: string };
    const paths = [
      ...reads.map((query) => `/rest/referring${query}`),
      `/rest/referring/${id}`,
      `/rest/referring/${id}?referencedby=true&metafields=true`,
      '/rest/referring/export',
      `/rest/referring/${id}/history`,
    ];
    for (const path of [
      ...paths,
      `/rest/referring?q=${escapeText('{"owner.text":{"$regex":"secret"}}')}&totals=true`,
    ]) {
      const answer = await attack({ path }, { 'x-apikey': key });
      expect(`${path} ${answer.status} ${answer.text}`).toMatch(/ (?:200|400|404) (?!.*secret-a)/);
    }
    const asked = await attack(
      { path: `/rest/referring?q=${escapeText('{"owner.text":{"$exists":true}}')}` },
      { 'x-apikey': key },
    );
    expect(asked.status === 200 ? asked.text : '[]').toBe('[]');
    // Who may read both sees it: the check above could fail.
    expect((await hostile.send({ path: `/rest/referring/${id}` })).text).toContain('secret-a');
  });

  it('of another database to an _id of ours finds nobody', async () => {
    for (const id of [...mine.ids.slice(0, 5), mine.deleted]) {
      const made = await attack(
        { method: 'POST', path: '/rest/referring', body: referring('target', id) },
        { 'x-apikey': theirs.key },
      );
      expect(made.status).toBe(201);
    }
    for (const query of reads) {
      const answer = await attack({ path: `/rest/referring${query}` }, { 'x-apikey': theirs.key });
      expect(`${query} ${answer.status} ${answer.text}`).toMatch(/ (?:200|400) (?!.*secret-a)/);
    }
  });
});

describe('the admin API', () => {
  const strangers = async (): Promise<[string, Record<string, string>, readonly number[]][]> => {
    const signedIn = await hostile.sendBare({
      method: 'POST',
      path: '/api/session',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ email: 'ada@example.org', password: 'correct horse battery' }),
    });
    const ended = signedIn.headers['set-cookie']?.[0]?.split(';')[0] ?? '';
    await hostile.sendBare({ method: 'DELETE', path: '/api/session', headers: { cookie: ended } });
    const [name = '', token = ''] = cookie.split('=');
    const [, payload = ''] = token.split('.');
    const none = Buffer.from('{"alg":"none","typ":"JWT"}').toString('base64url');
    return [
      ['nobody', {}, [401]],
      ['a key instead of a session', { 'x-apikey': hostile.key }, [401]],
      ['a key as a bearer', { authorization: `Bearer ${hostile.key}` }, [401]],
      ['a key in the cookie', { cookie: `${name}=${hostile.key}` }, [401]],
      ['a session as a bearer', { authorization: `Bearer ${token}` }, [401]],
      ['an ended session', { cookie: ended }, [401]],
      ['a session without a signature', { cookie: `${name}=${none}.${payload}.` }, [401]],
      ['a session with a changed signature', { cookie: `${name}=${token.slice(0, -4)}AAAA` }, [401]],
      ['a good session on a page elsewhere', { cookie, origin: 'https://evil.example' }, [403]],
      ['a good session on a page of no origin', { cookie, origin: 'null' }, [403]],
      ['a good session across sites', { cookie, 'sec-fetch-site': 'cross-site' }, [403]],
      ['a good session on a sibling site', { cookie, 'sec-fetch-site': 'same-site' }, [403]],
    ];
  };

  async function objects(): Promise<Record<string, string>[]> {
    const list = async (name: string) =>
      (
        JSON.parse((await hostile.sendBare({ path: `/api/databases/${name}/keys`, headers: { cookie } })).text) as {
          data: { id: string }[];
        }
      ).data;
    const own = (await list('default')).at(-1)?.id ?? '';
    const other = (await list('other')).at(-1)?.id ?? '';
    const keys = [own, other, '00000000', 'x%27y'];
    return ['default', 'other', 'nothing', 'x%27y'].flatMap((database) =>
      keys.map((key) => ({ database, key, collection: 'target', id: mine.ids[0] ?? '' })),
    );
  }

  const fill = (path: string, values: Record<string, string>) =>
    path.replaceAll(/\{(\w+)\}/g, (_whole, name: string) => values[name] ?? 'x');
  const isSafe = ({ method }: RouteEntry) => method === 'GET';

  it('is for nobody without a session of its own pages', { timeout: 120_000 }, async () => {
    const before = await hostile.takeStock();
    const all = await objects();
    for (const [who, headers, statuses] of await strangers()) {
      for (const route of adminRoutes) {
        // A page elsewhere may send a GET, but the browser does not show it the answer.
        if (isSafe(route) && statuses.includes(403)) continue;
        const paths = new Set(all.map((values) => fill(route.path, values)));
        await eachOf(paths, 4, async (path) => {
          const what = `${who}: ${route.method} ${path}`;
          const body = isSafe(route) || route.method === 'DELETE' ? undefined : '{"name":"forged"}';
          const answer = await attack({ method: route.method, path, body }, headers);
          expect(statuses.includes(answer.status) ? what : `${what} → ${answer.status}`).toBe(what);
          expectRefusal(answer, what);
          expect(answer.text, what).not.toContain('secret');
          expect(answer.headers['access-control-allow-origin'], what).toBeUndefined();
        });
      }
    }
    const { sessions: _before, ...was } = JSON.parse(before) as Record<string, unknown>;
    const { sessions: _after, ...is } = JSON.parse(await hostile.takeStock()) as Record<string, unknown>;
    expect(is).toEqual(was);
  });

  it('knows a key by its own database only: under another one it is as one that nobody has', async () => {
    const before = await hostile.takeStock();
    const [{ key: own = '' } = {}, { key: other = '' } = {}] = await objects();
    for (const [database, foreign] of [
      ['default', other],
      ['other', own],
      ['nothing', own],
    ]) {
      for (const method of ['PATCH', 'DELETE']) {
        const body = method === 'PATCH' ? '{"name":"forged"}' : undefined;
        const at = (id: string) => attack({ method, path: `/api/databases/${database}/keys/${id}`, body }, { cookie });
        const answer = await at(foreign ?? '');
        const missing = foreign?.replace(/.$/, (last) => (last === 'a' ? 'b' : 'a')) ?? '';
        expect(answer.status).toBe(404);
        expect(meaningOf(answer, foreign ?? '')).toBe(meaningOf(await at(missing), missing));
      }
    }
    expect(await hostile.takeStock()).toBe(before);
  });
});

it('every route was tried with every caller and object', () => expectTried('foreign principals', tally, 1_500));
