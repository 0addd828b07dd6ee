import { eventually } from '@tidewire/testing/eventually';
import { openSse } from '@tidewire/testing/sse-probe';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type RuledServer, startRuledServer } from './ruled-server.fixture.js';

let server: RuledServer;

type Init = { method?: string; body?: unknown; headers?: Record<string, string> };

async function call(who: string, path: string, { method = 'GET', body, headers = {} }: Init = {}) {
  const response = await fetch(`${server.url}${path}`, {
    method,
    headers: {
      ...(who === 'key' ? { 'x-apikey': server.key } : server.headersOf(who)),
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...headers,
    },
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  });
  const text = await response.text();
  return { status: response.status, headers: response.headers, text };
}

async function json(who: string, path: string, init?: Init) {
  const { status, text } = await call(who, path, init);
  return { status, body: text === '' ? null : JSON.parse(text) };
}

async function make(collection: string, body: object, who = 'key'): Promise<string> {
  const made = await json(who, `/rest/${collection}`, { method: 'POST', body });
  expect(made, JSON.stringify(made.body)).toMatchObject({ status: 201 });
  return made.body._id;
}

const openStream = (who: string, path: string) => openSse(`${server.url}${path}`, { headers: server.headersOf(who) });

beforeAll(async () => {
  server = await startRuledServer();
  const { core, database } = server;
  const own = { owner: '$user.sub' };
  await core.roles.create(database.id, {
    name: 'member',
    rest: ['*:note', '*:author', '*:line', 'GET:open'],
    listen: ['*:note', '*:author', '*:line'],
    publish: [],
    rules: {
      note: {
        q: own,
        readFields: ['owner', 'title', 'n', 'author', 'lines'],
        writeFields: ['title', 'n', 'pin'],
        defaults: own,
      },
      author: { q: own, readFields: ['owner', 'name'] },
      line: { q: own },
    },
  });
  await server.setUser('ada', { roles: ['member'] });
  await server.setUser('bob', { roles: ['member'] });
});
afterAll(async () => {
  expect(server.accidents).toEqual([]);
  await server.close();
});

describe('reading by a rule', () => {
  let mine: string;
  let foreign: string;
  beforeAll(async () => {
    mine = await make('note', { owner: 'ada', title: 'mine', n: 1, secret: 'hidden words' });
    foreign = await make('note', { owner: 'bob', title: 'foreign', n: 100, secret: 'other words' });
  });

  it('lists, counts and sums what is let through, without what is hidden', async () => {
    const page = await json('ada', '/rest/note?totals=true&metafields=true');
    expect(page.body.totals.total).toBe(1);
    expect(page.body.data).toHaveLength(1);
    expect(page.body.data[0]).toMatchObject({
      _id: mine,
      owner: 'ada',
      title: 'mine',
      n: 1,
      _keywords: ['ada', 'mine'],
    });
    expect(page.body.data[0]).not.toHaveProperty('secret');
    expect((await json('ada', '/rest/note')).body).toEqual([{ _id: mine, owner: 'ada', title: 'mine', n: 1 }]);
    expect((await json('ada', '/rest/note?h={"$aggregate":["SUM:n","COUNT:","MAX:n"]}')).body).toEqual({
      'SUM n': 1,
      'COUNT ': 1,
      'MAX n': { _id: mine, owner: 'ada', title: 'mine', n: 1 },
    });
    expect((await json('ada', '/rest/note?groupby=owner&aggregate=SUM:n')).body).toEqual([
      { groupkey: ['ada'], 'SUM n': 1 },
    ]);
    expect((await json('ada', '/rest/note?q={"n":{"$gt":50}}')).body).toEqual([]);
    expect((await call('ada', '/rest/note.csv')).text).not.toContain('secret');
  });

  it('answers a foreign id as a missing one, byte for byte, whatever is asked', async () => {
    const missing = 'f'.repeat(24);
    const tag = (await call('key', `/rest/note/${foreign}`)).headers.get('etag') ?? '';
    const tries: [string, Init?][] = [
      ['/rest/note/ID'],
      ['/rest/note/ID.csv'],
      ['/rest/note/ID', { headers: { 'if-none-match': tag } }],
      ['/rest/note/ID', { headers: { 'if-none-match': '*' } }],
      ['/rest/note/ID?referencedby=true&fetchchildren=true'],
      ['/rest/note/ID/history'],
      ['/rest/note/ID/history?before=3'],
      ['/rest/note/ID/asof/2'],
      ['/rest/note/ID', { method: 'PUT', body: { title: 'x' } }],
      ['/rest/note/ID', { method: 'PUT', body: { secret: 'x' } }],
      ['/rest/note/ID?replace=true', { method: 'PUT', body: {} }],
      ['/rest/note/ID', { method: 'PUT', body: { title: 'x' }, headers: { 'if-match': tag } }],
      ['/rest/note/ID', { method: 'PUT', body: { title: 'x' }, headers: { 'if-match': '"0-0"' } }],
      ['/rest/note/ID', { method: 'PATCH', body: { $inc: { n: 1 } } }],
      ['/rest/note/ID', { method: 'DELETE' }],
      ['/rest/note/ID', { method: 'DELETE', headers: { 'if-match': tag } }],
    ];
    const plain = ({ status, text }: { status: number; text: string }, id: string) => ({
      status,
      text: text.replaceAll(id, 'ID').replace(/"requestId":"[^"]+"/, ''),
    });
    for (const [path, init] of tries) {
      const asked = plain(await call('ada', path.replace('ID', foreign), init), foreign);
      const never = plain(await call('ada', path.replace('ID', missing), init), missing);
      expect(asked, path).toEqual(never);
      expect(asked.status, path).toBe(404);
    }
    expect((await json('key', `/rest/note/${foreign}`)).body).toMatchObject({ title: 'foreign', n: 100 });
  });

  it.each([
    ['q={"secret":"hidden words"}', 'q'],
    ['q={"$or":[{"title":"mine"},{"secret.x":1}]}', 'q'],
    ['q={"$not":{"secret":{"$exists":true}}}', 'q'],
    ['q={"$text":{"$search":"hidden"}}', 'q'],
    ['filter=hidden', 'q'],
    ['sort=secret', 'sort'],
    ['h={"$orderby":{"secret":1}}', 'sort'],
    ['groupby=secret', 'aggregate'],
    ['aggregate=MIN:secret', 'aggregate'],
    ['h={"$groupby":["$YEAR:secret"]}', 'aggregate'],
    ['h={"$fields":{"secret":1}}', 'h/$fields'],
  ])('refuses to ask for hidden fields: %s', async (query, field) => {
    const refused = await json('ada', `/rest/note?${query}`);
    expect(refused.status).toBe(403);
    expect(refused.body.errors[0].field).toBe(field);
    const stream = await openStream('ada', `/rest/note/stream?${query}`);
    expect(stream.status).toBe(403);
    stream.close();
  });

  it('exports, shows the past and the history of what is let through', async () => {
    const lines = (await call('ada', '/rest/note/export')).text.trim().split('\n');
    expect(lines.map((line) => JSON.parse(line))).toEqual([{ _id: mine, owner: 'ada', title: 'mine', n: 1 }]);
    const csv = await call('ada', '/rest/note/export?format=csv&metafields=true');
    expect(csv.text.split('\r\n')[0]).toMatch(/^_id,owner,title,n,_created/);
    expect(csv.text).not.toContain('hidden');
    expect(csv.headers.get('x-total-count')).toBe('1');
    const id = await make('note', { owner: 'bob', title: 'passed on', secret: 's1' });
    await call('key', `/rest/note/${id}`, { method: 'PUT', body: { owner: 'ada', secret: 's2' } });
    await call('key', `/rest/note/${id}`, { method: 'PUT', body: { title: 'read', secret: 's3' } });
    const last = await call('key', `/rest/note/${id}`, { method: 'PUT', body: { owner: 'bob' } });
    const eventId = Number(last.headers.get('x-event-id'));
    const history = await json('ada', `/rest/note/${id}/history`);
    const seen = history.body.data.map(({ type, document }: { type: string; document: object | null }) => [
      type,
      document,
    ]);
    expect(seen).toMatchObject([
      ['delete', null],
      ['put', { title: 'read' }],
      ['post', { title: 'passed on' }],
    ]);
    expect(JSON.stringify(seen)).not.toContain('secret');
    expect((await json('ada', `/rest/note/${id}`)).status).toBe(404);
    expect((await json('ada', `/rest/note/${id}/asof/${eventId - 1}`)).body).toMatchObject({ title: 'read' });
    expect((await json('ada', `/rest/note/${id}/asof/${eventId - 3}`)).status).toBe(404);
    const past = await json('ada', `/rest/note?asof=${eventId - 1}`);
    expect(past.body.map(({ _id }: { _id: string }) => _id)).toEqual([mine, id]);
    expect(JSON.stringify(past.body)).not.toContain('secret');
    await call('key', `/rest/note/${id}`, { method: 'DELETE' });
  });
});

describe('writing by a rule', () => {
  it('stamps defaults over what was sent, and answers without what is hidden', async () => {
    const made = await json('ada', '/rest/note', { method: 'POST', body: { title: 'a', owner: 'bob', pin: 'p' } });
    expect(made).toMatchObject({ status: 201, body: { title: 'a', owner: 'ada' } });
    expect(made.body).not.toHaveProperty('pin');
    expect(made.body._tags).toBe('a ada');
    expect((await json('key', `/rest/note/${made.body._id}`)).body).toMatchObject({ pin: 'p', owner: 'ada' });
  });

  it('refuses fields that may not be written, with their names, and writes nothing', async () => {
    const before = (await json('key', '/rest/note?totals=true&max=0')).body.totals.total;
    const refused = await json('ada', '/rest/note', {
      method: 'POST',
      body: [{ title: 'a' }, { title: 'b', secret: 1 }],
    });
    expect(refused).toMatchObject({ status: 403, body: { errors: [{ field: '/1/secret' }] } });
    const id = await make('note', { title: 'a' }, 'ada');
    await call('key', `/rest/note/${id}`, { method: 'PUT', body: { secret: 'x', k: 1 } });
    for (const [body, field] of [
      [{ owner: 'bob' }, '/owner'],
      [{ secret: 'x' }, '/secret'],
      [{ secret: 'y' }, '/secret'],
      [{ $inc: { k: 1 } }, '/k'],
      [{ $set: { pin: 'x' } }, '/pin'],
      [{ $unset: { owner: '' } }, '/owner'],
    ] as const)
      expect(await json('ada', `/rest/note/${id}`, { method: 'PUT', body })).toMatchObject({
        status: 403,
        body: { errors: [{ field }] },
      });
    expect((await json('ada', `/rest/note/${id}`, { method: 'PUT', body: { pin: 'q', n: 2 } })).body).toMatchObject({
      n: 2,
    });
    expect((await json('key', `/rest/note/${id}`)).body).toEqual({
      _id: id,
      title: 'a',
      owner: 'ada',
      secret: 'x',
      k: 1,
      pin: 'q',
      n: 2,
    });
    expect((await json('key', '/rest/note?totals=true&max=0')).body.totals.total).toBe(before + 1);
  });

  it('leaves alone what the user does not see when a document is replaced or patched', async () => {
    const id = await make('note', { title: 'a', n: 1 }, 'ada');
    await call('key', `/rest/note/${id}`, { method: 'PUT', body: { secret: 'x' } });
    await json('ada', `/rest/note/${id}?replace=true`, { method: 'PUT', body: { title: 'b' } });
    const whole = { _id: id, title: 'b', owner: 'ada', secret: 'x' };
    expect((await json('key', `/rest/note/${id}`)).body).toEqual(whole);
    const patch = (operations: object[]) =>
      call('ada', `/rest/note/${id}`, {
        method: 'PATCH',
        body: JSON.stringify(operations),
        headers: { 'content-type': 'application/json-patch+json' },
      });
    const right = await patch([{ op: 'test', path: '/secret', value: 'x' }]);
    const wrong = await patch([{ op: 'test', path: '/secret', value: 'y' }]);
    expect(right.status).toBe(wrong.status);
    expect(right.status).toBeGreaterThanOrEqual(400);
    expect((await patch([{ op: 'copy', from: '/secret', path: '/title' }])).status).toBeGreaterThanOrEqual(400);
    expect((await patch([{ op: 'move', from: '/secret', path: '/title' }])).status).toBeGreaterThanOrEqual(400);
    expect((await patch([{ op: 'remove', path: '/secret' }])).status).toBeGreaterThanOrEqual(400);
    expect((await json('key', `/rest/note/${id}`)).body).toEqual(whole);
  });

  it('passes over what is not there for the user in bulk', async () => {
    const mine = await make('note', { title: 'bulk', n: 7 }, 'ada');
    const foreign = await make('note', { title: 'bulk', n: 7 }, 'bob');
    const patched = await json('ada', '/rest/note/*?q={"n":7}', { method: 'PATCH', body: { title: 'new' } });
    expect(patched).toMatchObject({ status: 200, body: { result: [mine], count: 1 } });
    expect((await json('ada', '/rest/note/*?q={"secret":7}', { method: 'PATCH', body: { title: 'x' } })).status).toBe(
      403,
    );
    expect((await json('ada', '/rest/note/*?q={"secret":7}', { method: 'DELETE' })).status).toBe(403);
    const deleted = await json('ada', '/rest/note/*', { method: 'DELETE', body: [foreign, mine] });
    expect(deleted).toMatchObject({ status: 200, body: { result: [mine] } });
    expect((await json('ada', '/rest/note/*?q={"n":7}', { method: 'DELETE' })).body).toEqual({ result: [], count: 0 });
    expect((await json('key', `/rest/note/${foreign}`)).body).toMatchObject({ title: 'bulk' });
  });

  it('refuses a document before or after that is not the user’s', async () => {
    const { core, database } = server;
    await core.roles.create(database.id, {
      name: 'clerk',
      rest: ['*:task'],
      listen: [],
      publish: [],
      rules: { task: { q: { state: 'open' } } },
    });
    await server.setUser('clerk', { roles: ['clerk'] });
    expect((await json('clerk', '/rest/task', { method: 'POST', body: { state: 'closed' } })).status).toBe(403);
    const id = await make('task', { state: 'open' }, 'clerk');
    expect((await json('clerk', `/rest/task/${id}`, { method: 'PUT', body: { state: 'closed' } })).status).toBe(403);
    expect(
      (await json('clerk', '/rest/task/*?q={}&confirm=true', { method: 'PATCH', body: { state: 'x' } })).status,
    ).toBe(403);
    expect((await json('key', '/rest/task')).body).toEqual([{ _id: id, state: 'open' }]);
  });

  it('imports row by row, and keeps no ids', async () => {
    const rows = '{"title":"i1","owner":"bob"}\n{"title":"i2","secret":1}\n{"title":"i3"}\n';
    const headers = { 'content-type': 'application/x-ndjson' };
    const imported = await json('ada', '/rest/note/import', { method: 'POST', body: rows, headers });
    expect(imported.body).toMatchObject({ imported: 2, refusedCount: 1, refused: [{ line: 2 }] });
    const found = (await json('key', '/rest/note?q={"title":{"$regex":"^i"}}')).body;
    expect(found.map(({ owner, title }: { owner: string; title: string }) => [owner, title])).toEqual([
      ['ada', 'i1'],
      ['ada', 'i3'],
    ]);
    expect((await json('ada', '/rest/note/import?keepIds=true', { method: 'POST', body: rows, headers })).status).toBe(
      403,
    );
  });

  it('answers a write that is sent again as the first time', async () => {
    const init = { method: 'POST', body: { title: 'once', pin: 'x' }, headers: { 'idempotency-key': 'k1' } };
    const first = await call('ada', '/rest/note', init);
    expect((await call('ada', '/rest/note', init)).text).toBe(first.text);
    expect(first.text).not.toContain('pin');
    expect((await json('bob', '/rest/note', init)).body._id).not.toBe(JSON.parse(first.text)._id);
  });
});

describe('relations and children', () => {
  it('show only what the rules of their collections let through', async () => {
    const { core, database } = server;
    const target = (collection: string) => ({ databaseId: database.id, collection });
    for (const name of ['author', 'line', 'note']) await core.collectionSchemas.create(target(name));
    const relation = {
      author: { fieldType: 'relation', collection: 'author' },
      lines: { fieldType: 'child', collection: 'line' },
    };
    await core.collectionSchemas.put(target('note'), { type: 'object', properties: relation }, { acceptFailing: true });
    const own = await make('author', { owner: 'ada', name: 'A', address: 'hidden' });
    const other = await make('author', { owner: 'bob', name: 'B' });
    const id = await make('note', { owner: 'ada', title: 'related', author: [own], secret: 'x' });
    const id2 = await make('note', { owner: 'ada', title: 'related', author: [other] });
    const foreignNote = await make('note', { owner: 'bob', title: 'related', author: [own] });
    expect((await json('ada', `/rest/note/${id}`)).body.author).toEqual([{ _id: own, owner: 'ada', name: 'A' }]);
    expect((await json('ada', `/rest/note/${id2}`)).body.author).toEqual([{ _id: other }]);
    const by = await json('ada', `/rest/author/${own}?referencedby=true`);
    expect(by.body.referencedby.note.map(({ _id }: { _id: string }) => _id)).toEqual([id]);
    const asked = (note: string) => `/rest/note/${note}/lines`;
    for (const owner of ['ada', 'bob'])
      expect((await json('key', asked(id), { method: 'POST', body: { owner, text: `by ${owner}` } })).status).toBe(201);
    const lines = (await json('ada', asked(id))).body;
    expect(lines.map(({ text }: { text: string }) => text)).toEqual(['by ada']);
    expect((await json('ada', `/rest/note/${id}?fetchchildren=true`)).body.lines).toHaveLength(1);
    expect((await json('ada', asked(foreignNote))).status).toBe(404);
    const refused = await json('ada', asked(foreignNote), { method: 'POST', body: { owner: 'ada' } });
    const missing = await json('ada', asked('f'.repeat(24)), { method: 'POST', body: { owner: 'ada' } });
    expect([refused.status, missing.status]).toEqual([404, 404]);
    expect((await json('ada', asked(id), { method: 'POST', body: { owner: 'ada', text: 'more' } })).status).toBe(201);
    expect((await json('key', '/rest/line?totals=true')).body.totals.total).toBe(3);
  });
});

describe('events and live queries by a rule', () => {
  it('show what comes into view, changes and leaves it; live, in a replay, in polls', async () => {
    const stream = await openStream('ada', '/realtime?collections=note');
    await stream.waitFor('ping');
    const since = Number(stream.lastEventId);
    const live = await openStream('ada', '/rest/note/stream?q={"title":"live"}&delta=true&fetchrelations=false');
    await live.waitFor('snapshot');
    const foreign = await make('note', { owner: 'bob', title: 'live', secret: 'x' });
    const id = await make('note', { owner: 'ada', title: 'live', secret: 'x' });
    await call('key', `/rest/note/${foreign}`, { method: 'PUT', body: { owner: 'ada' } });
    await call('key', `/rest/note/${id}`, { method: 'PUT', body: { n: 5 } });
    await call('key', `/rest/note/${id}`, { method: 'PUT', body: { owner: 'bob' } });
    await call('key', `/rest/note/${foreign}`, { method: 'DELETE' });
    await eventually(() =>
      expect(stream.messages.filter(({ event }) => event !== 'ping' && event !== 'message')).toHaveLength(5),
    );
    const events = stream.messages.filter(({ event }) => event !== 'ping' && event !== 'message');
    expect(events.map(({ event }) => event)).toEqual(['post', 'post', 'put', 'delete', 'delete']);
    expect(events.map(({ data }) => data).join()).not.toContain('secret');
    const replay = await openSse(`${server.url}/realtime?collections=note&since=${since}`, {
      headers: server.headersOf('ada'),
    });
    await eventually(() => expect(replay.messages.filter(({ event }) => event === 'delete')).toHaveLength(2));
    const bare = (messages: typeof events) => messages.map(({ event, id: eventId, data }) => [event, eventId, data]);
    expect(bare(replay.messages.filter(({ event }) => event !== 'ping' && event !== 'message'))).toEqual(bare(events));
    const polled = await json('ada', `/events?since=${since}&collections=note`);
    expect(polled.body.data.map(({ id: eventId }: { id: number }) => String(eventId))).toEqual(
      events.map(({ id: eventId }) => eventId),
    );
    await eventually(() => expect(live.messages.filter(({ event }) => event === 'leave')).toHaveLength(2));
    expect(live.messages.map(({ event }) => event).filter((event) => event !== 'ping')).toEqual([
      'snapshot',
      'enter',
      'enter',
      'change',
      'leave',
      'leave',
    ]);
    expect(live.messages.map(({ data }) => data).join()).not.toContain('secret');
    for (const one of [stream, replay, live]) one.close();
  });

  it('follow a changed rule within a second: the stream of events by itself, that of results by coming back', async () => {
    const { core, database } = server;
    const role = { name: 'watcher', rest: ['GET:watched'], listen: ['*:watched'], publish: [] };
    await core.roles.create(database.id, { ...role, rules: { watched: { q: { level: 1 } } } });
    await server.setUser('eve', { roles: ['watcher'] });
    const id = await make('watched', { level: 2 });
    const stream = await openStream('eve', '/realtime');
    const live = await openStream('eve', '/rest/watched/stream');
    await live.waitFor('watched');
    expect(live.json('watched')[0]).toEqual({ watched: [] });
    await core.roles.update(database.id, 'watcher', { rules: { watched: { q: { level: 2 } } } });
    await live.waitForEnd();
    await live.reconnect();
    await eventually(() => expect(live.json('watched').at(-1)).toEqual({ watched: [{ _id: id, level: 2 }] }));
    await call('key', `/rest/watched/${id}`, { method: 'PUT', body: { a: 1 } });
    await stream.waitFor('put');
    await server.setUser('eve', { roles: [] });
    await live.waitForEnd();
    await call('key', `/rest/watched/${id}`, { method: 'PUT', body: { a: 2 } });
    await call('key', '/rest/watched', { method: 'POST', body: { level: 2 } });
    expect((await json('eve', '/rest/watched')).status).toBe(403);
    await stream.waitFor('ping', { timeoutMs: 12_000 });
    expect(stream.messages.filter(({ event }) => event === 'put' || event === 'post')).toHaveLength(1);
    stream.close();
    live.close();
  });
});
