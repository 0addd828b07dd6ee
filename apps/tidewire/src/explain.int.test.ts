import { afterAll, beforeAll, expect, it } from 'vitest';
import { type RuledServer, startRuledServer } from './ruled-server.fixture.js';

let server: RuledServer;
let post = 0;
let taken = 0;
let custom = 0;
const keys: Record<string, string> = {};

async function call(path: string, init: RequestInit & { headers?: Record<string, string> } = {}) {
  const headers = { 'content-type': 'application/json', 'x-apikey': server.key, ...init.headers };
  return fetch(`${server.url}${path}`, { ...init, headers });
}

async function explain(query: string) {
  const response = await fetch(`${server.url}/api/explain?database=default&${query}`, {
    headers: { cookie: server.cookie },
  });
  return { status: response.status, body: JSON.parse(await response.text()) };
}

beforeAll(async () => {
  server = await startRuledServer();
  const { core, database } = server;
  const rules = { note: { q: { owner: '$user.sub' }, readFields: ['owner', 'title'] } };
  await core.roles.create(database.id, { name: 'author', rest: [], listen: ['*:note'], publish: [], rules });
  const grants = { rest: [], publish: [], origins: [] };
  for (const [name, listen] of Object.entries({ hears: ['*:note'], deaf: [], other: ['*:city'], gone: ['*:*'] }))
    keys[name] = (await core.apiKeys.create(database.id, { name, listen, ...grants })).id;
  await core.apiKeys.revoke(database.id, keys.gone ?? '');
  const body = JSON.stringify({ owner: 'ada', title: 'x', secret: 's' });
  const made = await call('/rest/note', { method: 'POST', body });
  const people = [
    { sub: 'ada', role: 'author' },
    { sub: 'eve', roles: ['author'] },
    { sub: 'fan', realtime: { sub: ['PUBLISH:GOAL'], pub: [] } },
    { sub: 'off', role: 'author', active: false },
  ];
  expect((await call('/rest/users', { method: 'POST', body: JSON.stringify(people) })).status).toBe(201);
  const { _id: id } = (await made.json()) as { _id: string };
  post = Number(made.headers.get('x-event-id'));
  const given = await call(`/rest/note/${id}`, { method: 'PUT', body: JSON.stringify({ owner: 'bob' }) });
  taken = Number(given.headers.get('x-event-id'));
  const sent = await call('/realtime', { method: 'POST', body: JSON.stringify({ event: 'GOAL', data: 1 }) });
  custom = Number(sent.headers.get('x-event-id'));
});
afterAll(async () => {
  expect(server.accidents).toEqual([]);
  await server.close();
});

it.each<[string, () => string, string | null]>([
  ['a key with the channel gets it', () => `key=${keys.hears}&event=${post}`, null],
  ['a revoked key', () => `key=${keys.gone}&event=${post}`, 'ended'],
  ['a key without a channel', () => `key=${keys.deaf}&event=${post}`, 'realtime_off'],
  ['a key with other channels', () => `key=${keys.other}&event=${post}`, 'no_grant'],
  ['a custom event without its channel', () => `key=${keys.hears}&event=${custom}`, 'no_grant'],
  ['collections of the stream', () => `key=${keys.hears}&event=${post}&collections=city`, 'collections'],
  ['events of the stream', () => `key=${keys.hears}&event=${post}&events=put`, 'events'],
  ['q of the stream', () => `key=${keys.hears}&event=${post}&q={"owner":"bob"}`, 'q'],
  ['a stream that began later', () => `key=${keys.hears}&event=${post}&since=${post}`, 'before_connection'],
  ['a stream that began before', () => `key=${keys.hears}&event=${post}&since=${post - 1}`, null],
  ['the owner', () => `user=ada&role=author&event=${post}`, null],
  ['another user', () => `user=eve&role=author&event=${post}`, 'rule'],
  ['a user without a role', () => `user=nobody&event=${post}`, 'realtime_off'],
  ["the owner, by the roles of the user's document", () => `user=ada&event=${post}`, null],
  ["another user, by the roles of the user's document", () => `user=eve&event=${post}`, 'rule'],
  ["the realtime list of the user's document", () => `user=fan&event=${custom}`, null],
  ['what that list does not have', () => `user=fan&event=${post}`, 'no_grant'],
  ['roles that are asked for instead, without that list', () => `user=fan&role=author&event=${custom}`, 'no_grant'],
  ['a user who is switched off', () => `user=off&event=${post}`, 'ended'],
  ['a query on what the rule hides', () => `user=ada&role=author&event=${post}&q={"secret":"s"}`, 'q'],
])('says why: %s', async (_name, query, reason) => {
  const { status, body } = await explain(query());
  expect(status, JSON.stringify(body)).toBe(200);
  expect(body).toMatchObject({ shown: reason === null, reason });
  expect(body.detail).toMatch(/^[A-Z].+\.$/);
  expect(body.seen === null).toBe(reason !== null);
});

it('shows the event as the user sees it: without hidden fields, and as another type when the document goes out of view', async () => {
  expect((await explain(`user=ada&role=author&event=${post}`)).body.seen.data).not.toHaveProperty('secret');
  expect((await explain(`user=ada&role=author&event=${taken}`)).body).toMatchObject({
    shown: true,
    event: { type: 'put' },
    seen: { type: 'delete' },
  });
  expect((await explain(`user=bob&role=author&event=${taken}`)).body.seen).toMatchObject({ type: 'post' });
});

it.each([
  ['event=1', 400],
  ['key=x&user=y&event=1', 400],
  ['key=x', 400],
  ['key=x&event=1', 404],
  ['key=x&event=0', 400],
  ['user=x&event=999999', 404],
  ['user=x&role=nosuch&event=1', 404],
  ['user=x&claims=1&event=1', 400],
  ['user=&event=1', 400],
  ['user=a%00b&event=1', 400],
  ['user=x&event=1&q=x', 400],
  ['user=x&event=1&nosuch=1', 400],
])('refuses %s with %i', async (query, status) => {
  expect((await explain(query)).status).toBe(status);
});

it('is for admins alone', async () => {
  expect((await call(`/api/explain?database=default&key=x&event=1`)).status).toBe(401);
});
