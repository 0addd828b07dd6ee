/**
 * A server with somebody else's things in every place, and everybody who could ask for them. Each thing has a word in it that stands nowhere else, so whoever is shown it can be told from the bytes alone.
 */
import { signToken } from '@tidewire/access/token.fixture';
import type { AdminRole } from '@tidewire/protocol/admins';
import { type Answer, type ContractServer, startContractServer } from './contract/contract.fixture.js';

/** Words by what they stand in. */
export const marks = {
  own: 'zqown',
  others: 'zqothers',
  secret: 'zqsecret',
  foreign: 'zqforeign',
  open: 'zqopenevent',
  hidden: 'zqhiddenevent',
  foreignEvent: 'zqforeignevent',
  people: 'zqpeople',
} as const;
/** One of them. */
export type Mark = keyof typeof marks;

/** Who asks. `sees`: what may be shown; `writes`: what may be changed: collections of the own database, `events`, or `settings` for what admins keep. */
export type Asker = {
  name: string;
  headers: Readonly<Record<string, string>>;
  sees: ReadonlySet<Mark>;
  writes: ReadonlySet<string>;
  /** Whether it is let in to routes of this kind at all. */
  kind: 'nobody' | 'application' | 'admin';
};

/** What is asked for: the parts of a path, by their names in the description. */
export type Thing = { name: string; parts: Readonly<Record<string, string>> };

export type MatrixWorld = {
  server: ContractServer;
  askers: readonly Asker[];
  things: readonly Thing[];
  /** Makes every document anew that is asked for, with the ids that the things name. */
  restore(): Promise<void>;
  /** What must not change unless somebody may: texts by place. */
  state(): Promise<ReadonlyMap<string, string>>;
  /** Writes all kinds of things, so that streams have what they could show. */
  stir(): Promise<void>;
};

const ownId = '0000000000000000000000a1';
const othersId = '0000000000000000000000a2';
const secretId = '0000000000000000000000a3';
const foreignId = '0000000000000000000000a4';
const goneId = '0000000000000000000000a5';
const missingId = '0000000000000000000000ff';

const issuer = 'https://issuer.example/';
const audience = 'matrix';
const sharedSecret = 'a secret that the other service signs its tokens with';
const password = 'a long enough password';

const everything = { rest: ['*:*'], listen: ['*:*'], publish: ['*'], origins: ['*'] };

export async function createMatrixWorld(): Promise<MatrixWorld> {
  const server = await startContractServer();
  const { core } = server;
  const { id: ours } = await core.databases.ensure('default');
  const { id: theirs } = await core.databases.create('other');
  const owner = await server.cookie();

  const key = async (databaseId: number, grants: Partial<typeof everything>) =>
    core.apiKeys.create(databaseId, {
      name: 'matrix',
      ...{ rest: [], listen: [], publish: [], origins: [] },
      ...grants,
    });
  const [full, foreign] = [await key(ours, everything), await key(theirs, everything)];
  const [revoked, disabled, expired] = [
    await key(ours, everything),
    await key(ours, everything),
    await key(ours, everything),
  ];
  await core.apiKeys.revoke(ours, revoked.id);
  await core.apiKeys.update(ours, disabled.id, { disabled: true });
  await core.pool.query(`UPDATE api_keys SET expires_at = now() - interval '1 hour' WHERE id = $1`, [expired.id]);
  await core.catalog.refresh(ours);
  const readOnly = await key(ours, { rest: ['GET:notes'], listen: ['*:notes'], origins: ['*'] });
  const otherCollection = await key(ours, { rest: ['*:secrets'], listen: ['*:secrets'], origins: ['*'] });
  const publishOnly = await key(ours, { publish: ['news'], origins: ['*'] });
  const powerless = await key(ours, {});

  await server.asAdmin('POST', 'default/roles', {
    name: 'member',
    rest: ['*:notes'],
    listen: ['*:notes', 'PUBLISH:news'],
    publish: [],
    rules: { notes: { q: { owner: '$user.sub' }, defaults: { owner: '$user.sub' } } },
  });
  await server.asAdmin('PUT', 'default/auth/secret', { secret: sharedSecret });
  await server.asAdmin('PATCH', 'default/settings', {
    auth: { issuer, audience, algorithms: ['HS256'], rolesFrom: 'claim', clockToleranceSeconds: 0, origins: ['*'] },
  });
  const tokenOf = (sub: string, seconds: number) => {
    const exp = Math.floor(Date.now() / 1_000) + seconds;
    return signToken({ iss: issuer, aud: audience, sub, exp, roles: ['member'] }, { key: sharedSecret });
  };

  const emailOf = (role: AdminRole) => `${marks.people}.${role}@example.org`;
  async function cookieOf(role: AdminRole): Promise<string> {
    const email = emailOf(role);
    const invited = await server.call('/api/invites', {
      method: 'POST',
      body: { email, role },
      key: null,
      headers: { cookie: owner },
    });
    const { token } = invited.body as { token: string };
    const accepted = await server.call('/api/invites/accept', { method: 'POST', body: { token, password }, key: null });
    return sessionOf(accepted);
  }
  const cookies = {
    viewer: await cookieOf('viewer'),
    editor: await cookieOf('editor'),
    owner: await cookieOf('owner'),
  };
  const again = { email: emailOf('viewer'), password };
  const ended = sessionOf(await server.call('/api/session', { method: 'POST', body: again, key: null }));
  await server.call('/api/session', { method: 'DELETE', key: null, headers: { cookie: ended } });

  const byKey = (name: string, text: string, sees: Mark[], writes: string[] = []): Asker => ({
    ...{ name, headers: { 'x-apikey': text }, kind: 'application' },
    ...{ sees: new Set(sees), writes: new Set(writes) },
  });
  const nobody = (name: string, headers: Record<string, string>): Asker => ({
    ...{ name, headers, kind: 'nobody', sees: new Set<Mark>(), writes: new Set<string>() },
  });
  const byToken = (name: string, token: string, sees: Mark[], writes: string[]): Asker => ({
    ...byKey(name, '', sees, writes),
    headers: { authorization: `Bearer ${token}` },
  });
  const ofDatabases: Mark[] = ['people', 'own', 'others', 'secret', 'foreign', 'open', 'hidden', 'foreignEvent'];
  const byCookie = (name: string, cookie: string, sees: Mark[], writes: string[]): Asker => ({
    ...{ name, headers: { cookie }, kind: 'admin', sees: new Set(sees), writes: new Set(writes) },
  });

  const askers: Asker[] = [
    nobody('nobody', {}),
    nobody('a made-up key', { 'x-apikey': `${full.key.slice(0, -1)}${full.key.endsWith('0') ? '1' : '0'}` }),
    nobody('a revoked key', { 'x-apikey': revoked.key }),
    nobody('a key that is switched off', { 'x-apikey': disabled.key }),
    nobody('an expired key', { 'x-apikey': expired.key }),
    nobody('an expired token', { authorization: `Bearer ${await tokenOf('u-own', -10)}` }),
    nobody('a session that was ended', { cookie: ended }),
    byKey('a key without a grant', powerless.key, []),
    byKey('a key of another database', foreign.key, ['foreign', 'foreignEvent'], ['foreign database']),
    byKey('a key that reads', readOnly.key, ['own', 'others']),
    byKey('a key of another collection', otherCollection.key, ['secret'], ['secrets']),
    byKey('a key that publishes', publishOnly.key, [], ['events']),
    byToken('a user with a rule', await tokenOf('u-own', 3_600), ['own', 'open'], ['notes:own']),
    byToken('a user with a rule and nothing', await tokenOf('u-else', 3_600), ['open'], ['notes:made']),
    byCookie('a viewer', cookies.viewer, ofDatabases, []),
    byCookie('an editor', cookies.editor, ofDatabases, ['settings', 'notes', 'secrets', 'foreign']),
  ];

  const parts = {
    collection: 'notes',
    field: 'children',
    childId: missingId,
    eventId: '2',
    index: 'byText',
    key: readOnly.id,
  };
  const rest = { role: 'member', admin: missingId, session: missingId, invite: missingId, user: missingId };
  const at = (name: string, more: Record<string, string>): Thing => ({
    name,
    parts: { database: 'default', id: ownId, name: 'news', ...parts, ...rest, ...more },
  });
  const things = [
    at('own', {}),
    at("somebody else's", { id: othersId, name: 'hidden' }),
    at('of another collection', { collection: 'secrets', id: secretId, name: 'hidden' }),
    at('of another database', { database: 'other', id: foreignId, key: foreign.id }),
    at('gone', { id: goneId, name: 'nobody.said', index: 'none', role: 'none' }),
    at('missing', { id: missingId, collection: 'notes', name: 'nobody.said.it', key: 'zzzzzzzzzzzz' }),
    at('malformed', { id: "x'--", collection: 'no tes', database: '../x', name: ' ', key: "'", role: '$', index: '/' }),
    at('all', { id: '*' }),
  ];

  /** Makes the document with this id and these fields, whatever there was before. */
  async function put(text: string, collection: string, id: string, data: Record<string, string>): Promise<void> {
    const headers = { 'x-apikey': text };
    await fetch(`${server.url}/rest/${collection}/${id}`, { method: 'DELETE', headers });
    const body = `${JSON.stringify({ _id: id, ...data })}\n`;
    const type = { 'content-type': 'application/x-ndjson' };
    const path = `/rest/${collection}/import?keepIds=true`;
    const answer = await fetch(server.url + path, { method: 'POST', headers: { ...headers, ...type }, body });
    const told = await answer.text();
    if (answer.status >= 300 || !told.includes('"imported":1')) throw new Error(`${path}: ${answer.status} ${told}`);
  }
  async function publish(text: string, event: string, mark: string): Promise<void> {
    const { status } = await server.call('/realtime', { method: 'POST', key: text, body: { event, data: { mark } } });
    if (status !== 200) throw new Error(`publishing ${event}: ${status}`);
  }
  async function stir(): Promise<void> {
    await put(full.key, 'notes', ownId, { owner: 'u-own', text: marks.own });
    await put(full.key, 'notes', othersId, { owner: 'u-third', text: marks.others });
    await put(full.key, 'secrets', secretId, { owner: 'u-third', text: marks.secret });
    await put(foreign.key, 'notes', foreignId, { owner: 'u-own', text: marks.foreign });
    await publish(full.key, 'news', marks.open);
    await publish(full.key, 'hidden', marks.hidden);
    await publish(foreign.key, 'news', marks.foreignEvent);
  }

  return { server, askers, things, restore: stir, stir, state: () => readState(server) };
}

/** The cookie of the session that an answer begins. */
function sessionOf({ status, headers }: Answer): string {
  const cookie = headers.get('set-cookie')?.split(';')[0];
  if (cookie === undefined) throw new Error(`${status}: no session has begun`);
  return cookie;
}

/** Documents by database and collection, events that were published, and what admins keep. */
async function readState({ core: { pool } }: ContractServer): Promise<ReadonlyMap<string, string>> {
  const { rows: documents } = await pool.query(
    `SELECT d.name AS database, c.name AS collection, o.id, o.data::text AS text FROM documents o
      JOIN collections c ON c.id = o.collection_id JOIN databases d ON d.id = c.database_id ORDER BY 1, 2, 3`,
  );
  const state = new Map<string, string>();
  for (const { database, collection, id, text } of documents)
    state.set(`document ${database}/${collection}/${id}`, text);
  const { rows: events } = await pool.query(
    `SELECT d.name AS database, e.name, count(*) AS count FROM events e JOIN databases d ON d.id = e.database_id WHERE e.type = 'publish' GROUP BY 1, 2`,
  );
  for (const { database, name, count } of events) state.set(`events ${database}/${name}`, String(count));
  const kept = {
    databases: 'SELECT name, settings FROM databases ORDER BY name',
    keys: 'SELECT id, name, hash, rest, listen, publish, origins, revoked_at, disabled_at, expires_at FROM api_keys ORDER BY id',
    roles: 'SELECT * FROM roles ORDER BY database_id, name',
    shapes: `SELECT c.name, c.schema, i.name AS index FROM collections c JOIN databases d ON d.id = c.database_id LEFT JOIN collection_indexes i ON i.collection_id = c.id WHERE d.name = 'default' ORDER BY 1, 3`,
    secrets: 'SELECT database_id, name, sealed FROM database_secrets ORDER BY 1, 2',
    accounts: 'SELECT * FROM user_accounts ORDER BY 1, 2',
    admins: 'SELECT id, email, role, password_hash, totp_secret FROM admins ORDER BY id',
    invites: 'SELECT id, email FROM admin_invites ORDER BY id',
  };
  for (const [name, sql] of Object.entries(kept))
    state.set(`settings ${name}`, JSON.stringify((await pool.query(sql)).rows));
  return state;
}
