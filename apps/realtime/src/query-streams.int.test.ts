import { setTimeout as pause } from 'node:timers/promises';
import { parseListRequest } from '@tidewire/collections/read-request';
import { follow } from '@tidewire/delivery/live.fixture';
import { type LiveForm, staysOpen } from '@tidewire/delivery/live-query';
import { Problem } from '@tidewire/protocol/problem';
import { createRandom, pick } from '@tidewire/query/random.fixture';
import { eventually } from '@tidewire/testing/eventually';
import type { SseProbe } from '@tidewire/testing/sse-probe';
import { beforeAll, describe, expect, it } from 'vitest';
import { makeListQuery, RandomWriter, readList } from './live-random.fixture.js';
import { type TestNode, useThreeNodes } from './realtime.fixture.js';

const { env } = process;
const seed = Number(env.SEED ?? 7);
const starts = Number(env.STARTS ?? 200);
const distinct = Number(env.DISTINCT ?? 2_000);

const { nodes, probes, open: openPath } = useThreeNodes();
let node: TestNode;
let key: string;

beforeAll(async () => {
  [node] = nodes as [TestNode];
  ({ key } = await node.createKey({ rest: ['GET:*'], listen: ['*:*'] }));
});

type OpenOptions = { on?: TestNode; headers?: Record<string, string> };

const open = (path: string, { on = node, headers = { 'x-apikey': key } }: OpenOptions = {}) =>
  openPath(path, { on, headers });

const streamOf = (collection: string, query: Record<string, string> | string = {}, options: OpenOptions = {}) =>
  open(`/rest/${collection}/stream?${new URLSearchParams(query)}`, options);

const writerOf = (collection: string, on = node) => new RandomWriter(on, collection, createRandom(seed));

/** The body that the probe shows now. */
const shown = (probe: SseProbe, name: string) => follow(probe.messages, name).body;

async function problemOf(path: string, headers: Record<string, string> = { 'x-apikey': key }) {
  const answer = await fetch(`${node.url}${path}`, { headers });
  return { status: answer.status, ...((await answer.json()) as { code: string; detail: string }) };
}

/** As a client has it that has parsed the documents: names that are numbers come first in an object. */
const normal = (body: string) => JSON.stringify(JSON.parse(body));

/** On a machine that does too much else at once a commit may take longer than a write waits; the load goes on. */
function passOverSlowCommits(error: unknown): void {
  const isSlow = error instanceof Problem && ['unavailable', 'outcome_unknown'].includes(error.code);
  if (!isSlow) throw error;
}

/** Every node looks at the log now, and not only with the next second. */
async function look(): Promise<void> {
  const { rows } = await node.connections.pool.query('SELECT head, oldest FROM log_heads WHERE database_id = $1', [
    node.databaseId,
  ]);
  for (const { hub, databaseId } of nodes) hub.noteHead({ databaseId, configVersion: 0, ...rows[0] });
}

describe('GET /rest/{collection}/stream', () => {
  it('begins with a retry and the body of the route without /stream, whatever cursor the client has', async () => {
    const writer = writerOf('first');
    for (let count = 0; count < 3; count += 1) await writer.create();
    for (const query of ['', 'totals=true&max=2', 'lastEventId=1', 'since=7&metafields=true', 'q={"n":{"$gt":3}}']) {
      const probe = await streamOf('first', query, { headers: { 'x-apikey': key, 'last-event-id': '1' } });
      const { data, id } = await probe.waitFor('first');
      const rest = query.replace(/(lastEventId=1|since=7&?)/, '');
      expect(data).toBe(`{"first":${await readList(node, 'first', rest)}}`);
      expect([probe.retryMs, Number(id)]).toEqual([2_000, expect.any(Number)]);
      expect(probe.headers['content-type']).toBe('text/event-stream; charset=utf-8');
    }
  });

  it(`shows the body that GET answers, at each id and in the end, for random lists on three nodes and random writes (seed ${seed})`, {
    timeout: 120_000,
  }, async () => {
    const random = createRandom(seed);
    const writer = new RandomWriter(node, 'whole', random);
    for (let count = 0; count < 20; count += 1) await writer.create();
    const streams = [];
    for (let count = 0; count < 15; count += 1) {
      const query = makeListQuery(random);
      streams.push({ query, probe: await streamOf('whole', query, { on: pick(random, nodes as [TestNode]) }) });
    }
    for (let write = 0; write < 80; write += 1) {
      await writer.write();
      if (write % 10 === 0) await pause(20);
      if (write % 40 === 0) await look();
    }
    await look();
    let compared = 0;
    for (const { query, probe } of streams) {
      const body = await readList(node, 'whole', query);
      await eventually(() => expect(shown(probe, 'whole'), decodeURIComponent(query)).toBe(body));
      for (const { id, body: then } of follow(probe.messages, 'whole').at) {
        compared += 1;
        expect(then, `seed ${seed}, event ${id}, ${decodeURIComponent(query)}`).toBe(
          await readList(node, 'whole', query, id),
        );
      }
    }
    expect(compared).toBeGreaterThan(60);
  });

  it(`rebuilds from deltas what GET answers, at each id and in the end, for ${starts} random starts under load (seed ${seed})`, {
    timeout: 60_000 + starts * 200,
  }, async () => {
    const random = createRandom(seed);
    const writers = nodes.map((one) => new RandomWriter(one, 'delta', random));
    for (const writer of writers) for (let count = 0; count < 10; count += 1) await writer.create();
    let compared = 0;
    let done = 0;
    while (done < starts) {
      let isOver = false;
      const load = writers.map(async (writer) => {
        while (!isOver) await writer.write().catch(passOverSlowCommits);
      });
      const batch = Array.from({ length: Math.min(100, starts - done) }, () => ({
        query: makeListQuery(random),
        on: pick(random, nodes as [TestNode]),
      }));
      const opening = [];
      for (const { query, on } of batch) {
        const interval = random() < 0.2 ? '&interval=50' : '';
        opening.push(streamOf('delta', `${query}&delta=true${interval}`, { on }));
        await pause(random() * 6);
      }
      const streams = await Promise.all(opening);
      await pause(random() * 100);
      isOver = true;
      await Promise.all(load);
      await look();
      for (const [index, probe] of streams.entries()) {
        const { query = '' } = batch[index] ?? {};
        const told = `seed ${seed}, ${decodeURIComponent(query)}`;
        const body = await readList(node, 'delta', query);
        await eventually(() => expect(shown(probe, 'delta'), told).toBe(normal(body)), { timeoutMs: 20_000 });
        const steps = follow(probe.messages, 'delta').at;
        // The first states, and the last: what lies between was told by the same steps.
        for (const { id, body: then } of steps.length > 4 ? [...steps.slice(0, 1), ...steps.slice(-2)] : steps) {
          compared += 1;
          expect(then, `${told}, event ${id}`).toBe(normal(await readList(node, 'delta', query, id)));
        }
        probe.close();
      }
      probes.length = 0;
      done += batch.length;
      if (starts > 1_000) console.info(`${done} starts, ${compared} states compared, 0 differences`);
    }
    expect(compared).toBeGreaterThan(starts);
  });

  it('tells of windows with deltas as the documentation says', async () => {
    const { document } = node.client;
    const scope = { databaseId: node.databaseId, author: { actor: 'key:test', by: 'api' } };
    const ids: string[] = [];
    for (const [name, employees] of [
      ['Acme', 52],
      ['Globex', 40],
      ['Initech', 12],
    ] as const) {
      const outcome = await document.create({ scope, collection: 'company', data: { name, employees } });
      ids.push((outcome.status === 'written' && outcome.documents[0]?.id) || '');
    }
    const [acme, globex, initech] = ids;
    const probe = await streamOf('company', 'sort=employees&dir=-1&max=2&totals=true&delta=true');
    await probe.waitFor('snapshot');
    await document.update({
      scope,
      collection: 'company',
      where: { id: initech ?? '' },
      data: () => ({ name: 'Initech', employees: 90 }),
    });
    await probe.waitFor('enter');
    await document.delete({ scope, collection: 'company', where: { id: acme ?? '' } });
    await probe.waitFor('totals');
    const [snapshot, ...steps] = probe.messages.filter(({ event }) => event !== 'ping');
    expect(JSON.parse(snapshot?.data ?? '')).toEqual({
      data: [
        { _id: acme, name: 'Acme', employees: 52 },
        { _id: globex, name: 'Globex', employees: 40 },
      ],
      totals: { total: 3, count: 2, skip: 0, max: 2 },
      position: Number(snapshot?.id),
    });
    expect(steps.map(({ event, data }) => [event, JSON.parse(data)])).toEqual([
      ['leave', { _id: globex, from: 1, reason: 'window' }],
      ['enter', { document: { _id: initech, name: 'Initech', employees: 90 }, index: 0 }],
      ['leave', { _id: acme, from: 1, reason: 'delete' }],
      ['enter', { document: { _id: globex, name: 'Globex', employees: 40 }, index: 1 }],
      ['totals', { totals: { total: 2, count: 2, skip: 0, max: 2 } }],
    ]);
  });

  it('sends at most one message in an interval, and the last state in the end', async () => {
    const writer = writerOf('slow');
    await writer.create({ n: 0 });
    const probe = await streamOf('slow', 'interval=300');
    await probe.waitFor('slow');
    for (let n = 1; n <= 30; n += 1) {
      await writer.create({ n });
      await pause(10);
    }
    const body = await readList(node, 'slow', '');
    await eventually(() => expect(shown(probe, 'slow')).toBe(body));
    const times = probe.messages.filter(({ event }) => event === 'slow').map(({ at }) => at);
    const gaps = times.slice(1).map((at, index) => at - (times[index] ?? 0));
    expect(times.length).toBeGreaterThan(1);
    expect(times.length).toBeLessThan(12);
    expect(Math.min(...gaps)).toBeGreaterThan(200);
  });

  it('is one live query for 50 streams of one meaning, whatever their wording and key', async () => {
    await writerOf('shared').create({ n: 1, city: 'Oslo' });
    // Those of the tests before are kept for a while, for viewers that come back.
    await eventually(() => expect(node.hub.stats().queries).toBe(0), { timeoutMs: 20_000 });
    const { key: another } = await node.createKey({ rest: ['GET:*', 'PUT:x'], listen: ['*:*'] });
    const wordings = ['q={"city":"Oslo","n":1}&max=10', 'max=10&q={"n":{"$eq":1},"city":{"$in":["Oslo"]}}&sort=_id'];
    for (let count = 0; count < 50; count += 1) {
      const headers = { 'x-apikey': count % 3 === 0 ? another : key };
      await (await streamOf('shared', wordings[count % 2] ?? '', { headers })).waitFor('shared');
    }
    expect(node.hub.stats().queries).toBe(1);
  });

  it('reads aggregates, orders by score and pages behind a cursor anew, as GET answers them', async () => {
    const writer = writerOf('anew');
    for (let count = 0; count < 6; count += 1) await writer.create({ n: count, t: count % 2 ? 'tide' : 'tide tide' });
    const page = await node.collections.list(
      { database: await databaseNow(), collection: 'anew' },
      parseListRequest('max=2'),
    );
    const queries = [
      'groupby=t&aggregate=SUM:n&aggregate=COUNT:',
      'h={"$aggregate":["MAX:n"]}',
      'q={"$text":{"$search":"tide"}}&h={"$orderby":{"score":{"$meta":"textScore"}}}',
      `cursor=${page.next}&max=3`,
    ];
    const streams = await Promise.all(queries.map((query) => streamOf('anew', query)));
    for (const probe of streams) await probe.waitFor('anew');
    for (let count = 0; count < 5; count += 1) await writer.create({ n: 10 + count, t: 'tide' });
    for (const [index, probe] of streams.entries()) {
      const body = await readList(node, 'anew', queries[index] ?? '');
      await eventually(() => expect(shown(probe, 'anew')).toBe(body));
    }
  });

  it('shows documents that are referred to, and follows their changes', async () => {
    const [companies, people] = [writerOf('firm'), writerOf('person')];
    const delta = await streamOf('person', 'delta=true');
    const probe = await streamOf('person');
    await probe.waitFor('person');
    await people.create({ n: 1 });
    await companies.create({ name: 'Acme' });
    const [$id = ''] = companies.ids;
    await people.create({ n: 2, firm: { $ref: 'firm', $id } });
    const expectRest = async () => {
      const body = await readList(node, 'person', '');
      await eventually(() => expect(shown(probe, 'person')).toBe(body));
      await eventually(() => expect(shown(delta, 'person')).toBe(body));
      return body;
    };
    expect(await expectRest()).toContain('Acme');
    const scope = { databaseId: node.databaseId, author: { actor: 'key:test', by: 'api' } };
    await node.client.document.update({ scope, collection: 'firm', where: { id: $id }, data: () => ({ name: 'New' }) });
    expect(await expectRest()).toContain('New');
  });

  it('shows relations and children as the schema says them, and ends to be asked for anew when it says them otherwise', async () => {
    const { collectionSchemas, collections, databaseId } = node;
    const target = async (collection: string) => {
      const scope = { databaseId, author: { actor: 'key:test', by: 'api' } };
      return { database: await databaseNow(), collection, scope, mayGet: () => true };
    };
    const idOf = (text: string) => (JSON.parse(text) as { _id: string })._id;
    await collectionSchemas.create({ databaseId, collection: 'team' });
    const { text: team } = await collections.create(await target('team'), { name: 'blue' });
    const [one, all] = [await open(`/rest/team/${idOf(team)}/stream`), await streamOf('team', 'fetchchildren=true')];
    await Promise.all([one, all].map((probe) => probe.waitFor('team')));
    const properties = {
      name: { type: 'string' },
      lead: { fieldType: 'relation', collection: 'member' },
      members: { fieldType: 'child', collection: 'member' },
    };
    await collectionSchemas.put(
      { databaseId, collection: 'team' },
      { type: 'object', properties },
      { acceptFailing: false },
    );
    await Promise.all([one, all].map((probe) => probe.waitForEnd({ timeoutMs: 3_000 })));
    await Promise.all([one, all].map((probe) => probe.reconnect()));
    const children = await open(`/rest/team/${idOf(team)}/members/stream`);
    expect((await children.waitFor('member')).data).toBe('{"member":[]}');
    const parent = { collection: 'team', id: idOf(team), field: 'members' };
    const { text: ada } = await collections.create({ ...(await target('member')), parent }, { name: 'Ada' });
    const change = { form: 'merge' as const, body: { lead: [{ _id: idOf(ada) }] } };
    await collections.update(await target('team'), idOf(team), change, {});
    await collections.update(await target('member'), idOf(ada), { form: 'merge', body: { age: 36 } }, {});
    const asked = parseListRequest('fetchchildren=true');
    const { text: list } = await collections.list(await target('team'), asked);
    const { text: document } = await collections.get(await target('team'), idOf(team), parseListRequest(''));
    const { text: members } = await collections.list({ ...(await target('member')), parent }, parseListRequest(''));
    for (const text of [list, document, members]) expect(text).toContain('"age":36');
    await eventually(() => expect(shown(all, 'team')).toBe(list));
    await eventually(() => expect(shown(one, 'team')).toBe(document));
    await eventually(() => expect(shown(children, 'member')).toBe(members));
    expect((await problemOf(`/rest/team/${idOf(team)}/name/stream`)).status).toBe(404);
    await collections.delete(await target('team'), idOf(team), {});
    await children.waitForEnd();
    expect((await problemOf(`/rest/team/${idOf(team)}/members/stream`)).status).toBe(404);
    await eventually(() => expect(shown(one, 'team')).toBe('null'));
  });

  it('ends with the reason within a second when a grant that it needs is taken away, on every node, and 403 says which', async () => {
    for (const [kind, rest, listen] of [
      ['GET:held in rest', [], ['*:held']],
      ['PUT:held in listen', ['GET:held'], ['POST:held', 'DELETE:held']],
    ] as const) {
      const made = await node.createKey({ rest: ['GET:held'], listen: ['*:held'] });
      const headers = { 'x-apikey': made.key };
      const streams = await Promise.all(nodes.map((on) => streamOf('held', '', { on, headers })));
      for (const probe of streams) await probe.waitFor('held');
      const began = performance.now();
      await node.apiKeys.update(node.databaseId, made.id, { rest: [...rest], listen: [...listen] });
      await Promise.all(streams.map((probe) => probe.waitForEnd({ timeoutMs: 3_000 })));
      expect(performance.now() - began).toBeLessThan(1_500);
      for (const probe of streams) {
        expect(probe.messages.at(-1)?.event).toBe('revoked');
        expect(probe.messages.at(-1)?.data).toContain(kind);
      }
      expect((await problemOf('/rest/held/stream', headers)).detail).toContain(kind);
    }
  });

  it('needs the grant to read and to hear every change, and says which of them are missing', async () => {
    const none = await node.createKey({ rest: ['GET:company'] });
    expect(await problemOf('/rest/company/stream', { 'x-apikey': none.key })).toMatchObject({
      status: 403,
      code: 'realtime_off',
    });
    const some = await node.createKey({ listen: ['POST:company'] });
    const refused = await problemOf('/rest/company/stream', { 'x-apikey': some.key });
    expect(refused).toMatchObject({ status: 403, code: 'forbidden' });
    for (const grant of ['GET:company in rest', 'PUT:company in listen', 'DELETE:company in listen'])
      expect(refused.detail).toContain(grant);
    await node.settings.patch(node.databaseId, { realtime: { global: true } });
    const probe = await streamOf('company', '', { headers: { 'x-apikey': none.key } });
    expect(probe.status).toBe(200);
    await node.settings.patch(node.databaseId, { realtime: { global: false } });
    await probe.waitForEnd({ timeoutMs: 3_000 });
    expect(probe.messages.at(-1)?.event).toBe('revoked');
  });

  it.each([
    ['q={"n":{"$foo":1}}', 400, 'q/n/$foo'],
    ['sort=n&dir=2', 400, 'dir'],
    ['asof=1', 400, 'asof'],
    ['format=csv', 400, 'format'],
    ['interval=60001', 400, 'interval'],
    ['interval=-1', 400, 'interval'],
    ['delta=yes', 400, 'delta'],
    ['delta=true&delta=true', 400, 'delta'],
    ['delta=true&groupby=n', 400, 'delta'],
    ['max=10001', 400, 'max'],
    ['nonsense=1', 400, 'nonsense'],
    ['skip=1&cursor=x', 400, 'cursor'],
  ])('refuses %s before the stream begins', async (query, status, field) => {
    const problem = await problemOf(`/rest/company/stream?${new URLSearchParams(query)}`);
    expect(problem).toMatchObject({ status, code: 'bad_request' });
    expect(problem.detail).toContain(field);
  });

  it('answers 401, 404, 405 and 406 as every route does, and HEAD without a stream', async () => {
    expect((await problemOf('/rest/company/stream', {})).status).toBe(401);
    expect((await problemOf('/rest/bad name/stream')).status).toBe(400);
    const send = async (init: RequestInit) =>
      (await fetch(`${node.url}/rest/company/stream?token=${key}`, init)).status;
    expect(await send({ method: 'DELETE' })).toBe(405);
    expect(await send({ headers: { accept: 'application/json' } })).toBe(406);
    expect(await send({ method: 'HEAD' })).toBe(200);
    await node.settings.patch(node.databaseId, { collections: { createOnWrite: false } });
    await eventually(async () => expect((await problemOf('/rest/nowhere/stream')).status).toBe(404));
    await node.settings.patch(node.databaseId, { collections: { createOnWrite: true } });
  });

  it('takes the key by header, bearer or query, and lets only pages of its origins in', async () => {
    const made = await node.createKey({ rest: ['GET:*'], listen: ['*:*'], origins: ['https://app.example'] });
    const path = '/rest/company/stream';
    const statuses = await Promise.all([
      open(path, { headers: { authorization: `Bearer ${made.key}` } }),
      open(`${path}?token=${made.key}`, { headers: {} }),
      open(`${path}?apikey=${made.key}`, { headers: { origin: 'https://app.example' } }),
      open(`${path}?apikey=${made.key}`, { headers: { origin: 'https://evil.example' } }),
    ]);
    expect(statuses.map(({ status }) => status)).toEqual([200, 200, 200, 403]);
    expect(statuses[2]?.headers['access-control-allow-origin']).toBe('https://app.example');
    const headers = { origin: 'https://any.example', 'access-control-request-method': 'GET' };
    expect((await fetch(`${node.url}${path}`, { method: 'OPTIONS', headers })).status).toBe(204);
  });

  it('shows what the name means when its collection gets another name or is dropped', async () => {
    const writer = writerOf('old');
    await writer.create({ n: 1 });
    const [old, renamed] = [await streamOf('old'), await streamOf('renamed')];
    await old.waitFor('old');
    await renamed.waitFor('renamed');
    const scope = { databaseId: node.databaseId, author: { actor: 'key:test', by: 'api' } };
    await node.client.collection.rename({ scope, where: { name: 'old' }, data: { name: 'renamed' } });
    await eventually(() => expect(shown(old, 'old')).toBe('[]'));
    const body = await readList(node, 'renamed', '');
    expect(body).toContain('"n":1');
    await eventually(() => expect(shown(renamed, 'renamed')).toBe(body));
    const { ids } = writer;
    await node.client.document.delete({ scope, collection: 'renamed', where: { id: ids[0] ?? '' } });
    await node.client.collection.drop({ scope, where: { name: 'renamed' } });
    await new RandomWriter(node, 'renamed', createRandom(1)).create({ n: 5 });
    await eventually(async () => expect(shown(renamed, 'renamed')).toBe(await readList(node, 'renamed', '')));
    expect(shown(renamed, 'renamed')).toContain('"n":5');
  });
});

describe('GET /rest/{collection}/{id}/stream', () => {
  it('is null while there is no such document, then the document, then null again', async () => {
    const writer = writerOf('one');
    await writer.create({ n: 1 });
    const [id = ''] = writer.ids;
    const scope = { databaseId: node.databaseId, author: { actor: 'key:test', by: 'api' } };
    const missing = await open('/rest/one/0123456789abcdef01234567/stream');
    expect((await missing.waitFor('one')).data).toBe('{"one":null}');
    const probe = await open(`/rest/one/${id}/stream`);
    expect((await probe.waitFor('one')).data).toBe(`{"one":{"_id":"${id}","n":1}}`);
    await node.client.document.update({ scope, collection: 'one', where: { id }, data: () => ({ n: 2 }) });
    await eventually(() => expect(shown(probe, 'one')).toBe(`{"_id":"${id}","n":2}`));
    await node.client.document.delete({ scope, collection: 'one', where: { id } });
    await eventually(() => expect(shown(probe, 'one')).toBe('null'));
    expect(missing.messages.filter(({ event }) => event === 'one')).toHaveLength(1);
    expect((await problemOf('/rest/one/nonsense/stream')).status).toBe(400);
  });
});

describe(`${distinct} different live queries`, () => {
  it('are told apart: one write touches one of them', { timeout: 60_000 + distinct * 20 }, async () => {
    await writerOf('many').create({ owner: -1 });
    const target = { database: await databaseNow(), collection: 'many', mayGet: () => true, visible: '*' };
    const form: LiveForm = { isDelta: false, intervalMs: 0 };
    const told: number[] = [];
    const handles: { closed(): void }[] = [];
    // So many at once as are read without waiting long, on a busy machine too.
    const atOnce = 50;
    for (let from = 0; from < distinct; from += atOnce) {
      const joins = await Promise.all(
        Array.from({ length: atOnce }, (_none, index) => {
          const source = node.liveSources.list(target, parseListRequest(`q={"owner":${from + index}}`));
          return node.hub.openLive({
            databaseId: node.databaseId,
            source,
            form,
            onlooker: { verdict: staysOpen, user: null },
          });
        }),
      );
      for (const [index, join] of joins.entries()) {
        let messages = 0;
        const write = ({ bare }: { bare: Buffer }) => {
          if (bare.includes('event: many')) messages += 1;
          if (messages === 2) told.push(from + index);
        };
        handles.push(join({ write, pendingBytes: 0, end: () => undefined, destroy: () => undefined }));
      }
    }
    expect(node.hub.stats().queries).toBeGreaterThanOrEqual(distinct);
    await new RandomWriter(node, 'many', createRandom(1)).create({ owner: 1_711 });
    await eventually(() => expect(told).toEqual([1_711]));
    for (const { closed } of handles) closed();
  });
});

async function databaseNow() {
  const database = await node.catalog.byId(node.databaseId);
  if (database === null) throw new Error('there is no database');
  return database;
}

describe('the nodes', () => {
  it('had no error beside the requests', () => {
    expect(nodes.flatMap(({ errors }) => errors)).toEqual([]);
  });
});
