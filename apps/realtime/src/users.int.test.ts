/** Users with tokens of another service on streams: three nodes on one log whose buses do not know each other, as when Redis is dead. */
import { generateKeyPairSync } from 'node:crypto';
import { signToken } from '@tidewire/access/token.fixture';
import { eventually } from '@tidewire/testing/eventually';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type TestNode, useThreeNodes } from './realtime.fixture.js';

const { nodes, open } = useThreeNodes();
const secret = 'a secret that the other service signs with';
const issuer = 'https://issuer.example/';
const audience = 'shop';
let node: TestNode;

beforeAll(async () => {
  node = nodes[0] as TestNode;
  await node.connections.prisma.role.create({
    data: {
      databaseId: node.databaseId,
      name: 'member',
      rest: ['GET:orders'],
      listen: ['POST:orders', 'PUT:orders', 'DELETE:orders'],
      publish: ['chat'],
    },
  });
  await node.users.secrets.set(node.databaseId, secret);
  await setAuth({
    issuer,
    audience,
    algorithms: ['HS256'],
    origins: ['https://shop.example'],
    clockToleranceSeconds: 0,
  });
});

afterEach(() => expect(nodes.flatMap(({ errors }) => errors)).toEqual([]));

async function setAuth(auth: Parameters<TestNode['settings']['patch']>[1]['auth']): Promise<void> {
  const { auth: wanted } = await node.settings.patch(node.databaseId, { auth });
  for (const other of nodes) await other.catalog.refresh(node.databaseId);
  expect(wanted).toMatchObject(auth ?? {});
}

function tokenOf(subject: string, options: { seconds?: number; claims?: Record<string, unknown>; key?: string } = {}) {
  const { seconds = 600, claims = {}, key = secret } = options;
  const exp = Math.floor(Date.now() / 1000) + seconds;
  return signToken({ iss: issuer, aud: audience, sub: subject, exp, ...claims }, { key });
}

const scope = () => ({ databaseId: node.databaseId, author: { actor: 'key:test', by: 'api' } });

async function createUser(data: Record<string, unknown>): Promise<string> {
  const outcome = await node.client.document.create({ scope: scope(), collection: 'users', data: data as never });
  return outcome.status === 'written' ? (outcome.documents[0]?.id ?? '') : '';
}

async function order(n: number): Promise<void> {
  await node.client.document.create({ scope: scope(), collection: 'orders', data: { n } });
}

/** The numbers of the orders that a stream was told of. */
function heard(probe: { json(event?: string): unknown[] }): number[] {
  return probe.json('post').map((message) => (message as { data: { n: number } }).data.n);
}

describe('a user with a token', () => {
  it("hears what the roles of the document let hear, by header, by restdb.io's query, by cookie and by ticket, on every node", async () => {
    await createUser({ sub: 'ann', role: 'member' });
    const { key } = await node.createKey({ origins: ['https://web.example'] });
    const jwt = await tokenOf('ann');
    const issued = await fetch(`${node.url}/realtime/ticket`, {
      method: 'POST',
      headers: { authorization: `Bearer ${jwt}` },
    });
    const { ticket } = (await issued.json()) as { ticket: string };
    const probes = [];
    for (const on of nodes) {
      probes.push(await open('/realtime', { on, headers: { authorization: `Bearer ${jwt}` } }));
      probes.push(await open(`/realtime?jwt=${jwt}&rt-apikey=${key}`, { on }));
      probes.push(await open('/realtime', { on, headers: { cookie: `a=b; tidewire_user=${jwt}` } }));
    }
    probes.push(await open(`/realtime?ticket=${ticket}`));
    expect(probes.map(({ status }) => status)).toEqual(probes.map(() => 200));
    await order(1);
    for (const probe of probes) await probe.waitFor('post');
    expect(probes.map(heard)).toEqual(probes.map(() => [1]));
    expect((await open(`/realtime?ticket=${ticket}`)).status).toBe(401);
  });

  it('is refused with another secret, issuer, audience or database, and as a member of nothing', async () => {
    const stranger = await open('/realtime', {
      headers: { authorization: `Bearer ${await tokenOf('ann', { key: 'another secret, of at least this length' })}` },
    });
    expect([stranger.status, stranger.headers['www-authenticate']]).toEqual([
      401,
      'Bearer realm="tidewire", error="invalid_token"',
    ]);
    const nobody = await open('/realtime', { headers: { authorization: `Bearer ${await tokenOf('nobody')}` } });
    expect(nobody.status).toBe(403);
    await nobody.waitForEnd();
    expect(JSON.parse(nobody.body)).toMatchObject({ code: 'realtime_off' });
    const both = await open(`/realtime?jwt=${await tokenOf('ann')}`, {
      headers: { authorization: `Bearer ${await tokenOf('nobody')}` },
    });
    expect(both.status).toBe(400);
  });

  it('is used from the origins of the settings alone, and beside a key from those of the key', async () => {
    await createUser({ sub: 'ori', role: 'member' });
    const jwt = await tokenOf('ori');
    const { key } = await node.createKey({ origins: ['https://web.example'] });
    const tries = [
      ['/realtime', 'https://shop.example', 200],
      ['/realtime', 'https://web.example', 403],
      [`/realtime?rt-apikey=${key}`, 'https://web.example', 200],
      [`/realtime?rt-apikey=${key}`, 'https://shop.example', 403],
    ] as const;
    for (const [path, origin, status] of tries) {
      const probe = await open(path, { headers: { origin, authorization: `Bearer ${jwt}` } });
      expect([path, origin, probe.status]).toEqual([path, origin, status]);
    }
  });

  it('is told of the end of the token by its stream, and then refused', async () => {
    await createUser({ sub: 'short', role: 'member' });
    const jwt = await tokenOf('short', { seconds: 2 });
    const probes = await Promise.all(
      nodes.map((on) => open('/realtime', { on, headers: { authorization: `Bearer ${jwt}` } })),
    );
    for (const probe of probes) {
      const { data } = await probe.waitFor('expired');
      expect(JSON.parse(data)).toEqual({ reason: 'the token has expired' });
      await probe.waitForEnd();
    }
    const again = await open('/realtime', { headers: { authorization: `Bearer ${jwt}` } });
    expect(again.status).toBe(401);
    await again.waitForEnd();
    expect(JSON.parse(again.body).detail).toContain('expired');
  });

  it('has its streams narrowed, widened and ended by its document, on nodes that are not told', async () => {
    const id = await createUser({ sub: 'ben', role: 'member' });
    const jwt = await tokenOf('ben');
    const probes = await Promise.all(
      nodes.map((on) => open('/realtime', { on, headers: { authorization: `Bearer ${jwt}` } })),
    );
    const update = (data: Record<string, unknown>) =>
      node.client.document.update({
        scope: scope(),
        collection: 'users',
        where: { id },
        data: (before) => ({ ...before, ...data }) as never,
      });
    await update({ role: 'none', realtime: { sub: ['PUBLISH:news'], pub: [] } });
    await eventually(() => expect(nodes.map(({ users }) => users.directory.size > 0)).toEqual([true, true, true]));
    await eventually(async () => {
      for (const { catalog, users } of nodes) {
        const database = catalog.peek(node.databaseId);
        const principal = users.directory.peekAlone(jwt);
        const standing = database && principal?.user.standing(database, Date.now());
        expect(standing?.status === 'good' && standing.rights.listen).toEqual(['PUBLISH:news']);
      }
    });
    await order(2);
    await node.client.event.create({ scope: scope(), name: 'news', data: { n: 3 } });
    for (const probe of probes) await probe.waitFor('publish');
    expect(probes.map(heard)).toEqual([[], [], []]);
    await update({ role: 'member', active: false });
    for (const probe of probes) {
      expect(JSON.parse((await probe.waitFor('revoked')).data)).toEqual({ reason: 'the user is switched off' });
      await probe.waitForEnd();
    }
    expect((await open('/realtime', { headers: { authorization: `Bearer ${jwt}` } })).status).toBe(401);
  });

  it('has its streams ended when it is deleted, or when the collection users goes', async () => {
    const id = await createUser({ sub: 'del', role: 'member' });
    const headers = { authorization: `Bearer ${await tokenOf('del')}` };
    const probes = await Promise.all(nodes.map((on) => open('/realtime', { on, headers })));
    await node.client.document.delete({ scope: scope(), collection: 'users', where: { id } });
    for (const probe of probes)
      expect(JSON.parse((await probe.waitFor('revoked')).data)).toEqual({ reason: 'the user was deleted' });
    await createUser({ sub: 'ren', role: 'member' });
    const renamed = { authorization: `Bearer ${await tokenOf('ren')}` };
    const others = await Promise.all(nodes.map((on) => open('/realtime', { on, headers: renamed })));
    const rename = (from: string, to: string) =>
      node.client.collection.rename({ scope: scope(), where: { name: from }, data: { name: to } });
    await rename('users', 'people');
    for (const probe of others) await probe.waitFor('revoked');
    await rename('people', 'users');
    await eventually(async () => expect((await open('/realtime', { headers: renamed })).status).toBe(200));
  });

  it('has its streams ended when the secret, the issuer or the key beside the token is taken away', async () => {
    await createUser({ sub: 'sec', role: 'member' });
    const { id, key } = await node.createKey({});
    const jwt = await tokenOf('sec');
    const byKey = await open(`/realtime?jwt=${jwt}&rt-apikey=${key}`, { on: nodes[1] as TestNode });
    const alone = await Promise.all(
      nodes.map((on) => open('/realtime', { on, headers: { authorization: `Bearer ${jwt}` } })),
    );
    await node.apiKeys.revoke(node.databaseId, id);
    expect(JSON.parse((await byKey.waitFor('revoked')).data)).toEqual({ reason: 'the key was revoked' });
    expect(alone.map(({ isOpen }) => isOpen)).toEqual([true, true, true]);
    await node.users.secrets.set(node.databaseId, `${secret}, renewed`);
    for (const probe of alone) await probe.waitFor('revoked');
    expect((await open('/realtime', { headers: { authorization: `Bearer ${jwt}` } })).status).toBe(401);
    await node.users.secrets.set(node.databaseId, secret);
    const back = await open('/realtime', { headers: { authorization: `Bearer ${jwt}` } });
    expect(back.status).toBe(200);
    await setAuth({ issuer: 'https://other.example/' });
    await back.waitFor('revoked');
    await setAuth({ issuer });
  });

  it('takes its roles from a claim, and is found by its verified e-mail address, when the settings say so', async () => {
    await setAuth({ rolesFrom: 'claim', rolesClaim: 'app.roles', userField: 'email' });
    await createUser({ email: 'eve@example.org', realtime: { sub: ['PUBLISH:vip'], pub: [] } });
    const listenOf = async (claims: Record<string, unknown>) => {
      const jwt = await tokenOf('eve', { claims });
      await open('/realtime', { headers: { authorization: `Bearer ${jwt}` } });
      const database = node.catalog.peek(node.databaseId);
      const standing = database && node.users.directory.peekAlone(jwt)?.user.standing(database, Date.now());
      return standing?.status === 'good' ? standing.rights.listen : null;
    };
    const orders = ['POST:orders', 'PUT:orders', 'DELETE:orders'];
    expect(await listenOf({ app: { roles: ['member', 'unknown'] } })).toEqual(orders);
    expect(await listenOf({ 'app.roles': 'member', email: 'Eve@example.org' })).toEqual([...orders, 'PUBLISH:vip']);
    expect(await listenOf({ app: { roles: [] }, email: 'eve@example.org', email_verified: false })).toEqual([]);
    expect(await listenOf({ app: { roles: { member: true } } })).toEqual([]);
    await setAuth({ rolesFrom: 'users', userField: 'sub', defaultRole: 'member' });
    expect(await listenOf({})).toEqual(orders);
    await setAuth({ defaultRole: null });
  });

  it('may publish what its roles allow, and is the author of it', async () => {
    await createUser({
      sub: 'pub',
      role: 'member',
      email: 'pub@example.org',
      realtime: { pub: ['extra'], sub: ['*:*'] },
    });
    const headers = { authorization: `Bearer ${await tokenOf('pub')}`, 'content-type': 'application/json' };
    const publish = (event: string) =>
      fetch(`${node.url}/realtime`, { method: 'POST', headers, body: JSON.stringify({ event, data: {} }) });
    expect((await publish('chat')).status).toBe(200);
    expect((await publish('extra')).status).toBe(200);
    expect((await publish('other')).status).toBe(403);
    const { rows } = await node.connections.pool.query(
      "SELECT DISTINCT actor FROM events WHERE type = 'publish' AND name IN ('chat', 'extra')",
    );
    expect(rows).toEqual([{ actor: 'user:pub' }]);
  });
});

describe('a list as a stream', () => {
  it('ends when its user may no longer read the collection', async () => {
    const id = await createUser({ sub: 'live', role: 'member' });
    const jwt = await tokenOf('live');
    const probe = await open('/rest/orders/stream', {
      on: nodes[2] as TestNode,
      headers: { authorization: `Bearer ${jwt}` },
    });
    expect(probe.status).toBe(200);
    await node.client.document.update({
      scope: scope(),
      collection: 'users',
      where: { id },
      data: (before) => ({ ...before, role: 'none' }),
    });
    expect(JSON.parse((await probe.waitFor('revoked')).data).reason).toContain('the user lacks GET:orders');
  });
});

it('keeps nobody in mind whose token was made with an RSA key where a secret is agreed', async () => {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const header = { alg: 'RS256' };
  const jwt = await signToken({ sub: 'ann', iss: issuer, aud: audience }, { key: privateKey, header });
  const probe = await open('/realtime', { headers: { authorization: `Bearer ${jwt}` } });
  expect(probe.status).toBe(401);
});
