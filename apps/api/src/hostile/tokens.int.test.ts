/**
 * Tokens that nobody may take: forged, malformed, of others, and keys of an issuer that misbehaves. Each is answered with 401 in the same words, without a request to anywhere that
 * a token names; a token that is like it and good is taken, so that the refusals mean something.
 */
import { createHmac, generateKeyPairSync, type KeyObject, sign as signBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { signToken } from '@tidewire/access/token.fixture';
import { eventually } from '@tidewire/testing/eventually';
import { createTestDatabase } from '@tidewire/testing/test-database';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { startTestApi, type TestApi } from '../api.fixture.js';

const issuer = 'https://issuer.example/';
const audience = 'shop';
const first = generateKeyPairSync('rsa', { modulusLength: 2048 });
const second = generateKeyPairSync('rsa', { modulusLength: 2048 });
const curve = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const pem = first.publicKey.export({ type: 'spki', format: 'pem' }).toString();
const pemPkcs1 = first.publicKey.export({ type: 'pkcs1', format: 'pem' }).toString();
const der = first.publicKey.export({ type: 'spki', format: 'der' });

type PublicJwk = Record<string, unknown>;
const jwkOf = (key: KeyObject, kid: string): PublicJwk => ({ ...key.export({ format: 'jwk' }), kid, use: 'sig' });

let api: TestApi;
let issuerServer: Server;
let issuerUrl: string;
let fetches: { path: string; at: number }[] = [];
/** What the issuer answers. */
let answer: RequestListener;
let path = 0;

const serve =
  (keys: readonly PublicJwk[]): RequestListener =>
  (_request, response) => {
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify({ keys }));
  };

beforeAll(async () => {
  issuerServer = createServer((request, response) => {
    fetches.push({ path: request.url ?? '', at: Date.now() });
    answer(request, response);
  }).listen(0, '127.0.0.1');
  await once(issuerServer, 'listening');
  issuerUrl = `http://127.0.0.1:${(issuerServer.address() as AddressInfo).port}`;
  const { address } = await createTestDatabase();
  api = await startTestApi(address, { trustedHosts: [new URL(issuerUrl).host] });
  await api.connections.prisma.role.create({
    data: { databaseId: api.databaseId, name: 'member', rest: ['GET:notes'] },
  });
});
afterEach(() => {
  fetches = [];
  expect(api.accidents).toEqual([]);
});
afterAll(async () => {
  await api.close();
  issuerServer.closeAllConnections();
  issuerServer.close();
});

type Auth = NonNullable<Parameters<TestApi['settings']['patch']>[1]['auth']>;

async function setAuth(auth: Auth): Promise<void> {
  await api.settings.patch(api.databaseId, {
    auth: { issuer, audience, defaultRole: 'member', clockToleranceSeconds: 60, ...auth },
  });
}

/** A URL of keys that nobody has asked for, so that nothing of it is remembered. */
async function useIssuer(
  listener: RequestListener,
  algorithms: Auth['algorithms'] = ['RS256', 'ES256'],
): Promise<void> {
  path += 1;
  answer = listener;
  await setAuth({ algorithms, jwksUrl: `${issuerUrl}/keys-${path}` });
}

async function ask(token: string): Promise<{ status: number; body: string }> {
  const response = await fetch(`${api.url}/rest/notes`, { headers: { authorization: `Bearer ${token}` } });
  const text = (await response.text()).replaceAll(/"requestId":"[^"]*"/g, '');
  return { status: response.status, body: text };
}

const seconds = () => Math.floor(Date.now() / 1_000);
const part = (value: unknown) =>
  Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url');
const payload = (changes: Record<string, unknown> = {}) => ({
  iss: issuer,
  aud: audience,
  sub: 'ann',
  iat: seconds(),
  exp: seconds() + 600,
  ...changes,
});

/** A token signed with the first key, whatever its header says. */
function rsa(header: unknown, body: unknown = payload(), key: KeyObject = first.privateKey): string {
  const text = `${part(header)}.${part(body)}`;
  return `${text}.${signBytes('sha256', Buffer.from(text), key).toString('base64url')}`;
}
function hmac(header: unknown, body: unknown, secret: string | Buffer): string {
  const text = `${part(header)}.${part(body)}`;
  return `${text}.${createHmac('sha256', secret).update(text).digest('base64url')}`;
}
const rs = { alg: 'RS256', kid: 'one' };
const good = () => rsa(rs);

/** By what is wrong with them. */
function forgeries(): [string, string][] {
  const [head = '', body = '', signature = ''] = good().split('.');
  const all: [string, string][] = [];
  for (const alg of ['none', 'None', 'NONE', 'nOnE', '', ' none'])
    all.push(
      [`alg ${JSON.stringify(alg)}`, `${part({ alg, kid: 'one' })}.${body}.`],
      [`alg ${JSON.stringify(alg)} with a signature`, `${part({ alg, kid: 'one' })}.${body}.${signature}`],
    );
  for (const [name, key] of [
    ['PEM', pem],
    ['PEM of PKCS 1', pemPkcs1],
    ['DER', der],
    ['PEM without its end', pem.trim()],
  ] as const)
    all.push([`HS256 with the public key as ${name}`, hmac({ alg: 'HS256', kid: 'one' }, payload(), key)]);
  for (const alg of ['HS256', 'RS384', 'PS256', 'EdDSA', 'ES512', 'rs256'])
    all.push([`signed by RS256, said to be ${alg}`, rsa({ alg, kid: 'one' })]);
  all.push(
    [
      'ES256 with r = s = 0',
      `${part({ alg: 'ES256', kid: 'curve' })}.${body}.${Buffer.alloc(64).toString('base64url')}`,
    ],
    [
      'ES256 with an empty signature in DER',
      `${part({ alg: 'ES256', kid: 'curve' })}.${body}.${Buffer.from('3006020100020100', 'hex').toString('base64url')}`,
    ],
    ['an empty signature', `${head}.${body}.`],
    ['half a signature', `${head}.${body}.${signature.slice(0, signature.length / 2)}`],
    ['the signature of another token', `${head}.${part(payload({ sub: 'eve' }))}.${signature}`],
    ['another key under the same name', rsa(rs, payload(), second.privateKey)],
    ['2 parts', `${head}.${body}`],
    ['4 parts', `${head}.${body}.${signature}.x`],
    ['5 parts, as an encrypted one', `${part({ alg: 'dir', enc: 'A256GCM' })}..x.y.z`],
    ['6 dots', '......'],
    ['crit', rsa({ ...rs, crit: ['exp'] })],
    ['crit of b64', rsa({ ...rs, crit: ['b64'], b64: false })],
    ['b64 false', rsa({ ...rs, b64: false })],
    ['typ of a refresh token', rsa({ ...rs, typ: 'refresh+jwt' })],
    ['typ that is a number', rsa({ ...rs, typ: 1 })],
    [
      'its own key in jwk',
      rsa({ alg: 'RS256', kid: 'two', jwk: jwkOf(second.publicKey, 'two') }, payload(), second.privateKey),
    ],
    ['its own keys at jku', rsa({ alg: 'RS256', kid: 'two', jku: `${issuerUrl}/evil` }, payload(), second.privateKey)],
    ['its own keys at x5u', rsa({ alg: 'RS256', kid: 'two', x5u: `${issuerUrl}/evil` }, payload(), second.privateKey)],
    [
      'its own chain in x5c',
      rsa({ alg: 'RS256', kid: 'two', x5c: [der.toString('base64')] }, payload(), second.privateKey),
    ],
    ['a header that is an array', `${part([])}.${body}.${signature}`],
    ['a header that is no JSON', `${part('{"alg":"RS256"')}.${body}.${signature}`],
    ['a payload that is no object', rsa(rs, 'text')],
    ['a payload that is null', rsa(rs, null)],
    ['padding', `${head}==.${body}.${signature}`],
    ['padding in the payload', `${head}.${body}=.${signature}`],
    ['the alphabet of plain base64', `${head}.${body}.${Buffer.from(signature, 'base64url').toString('base64')}`],
    ['bits behind the last byte', `${head}.${body}.${signature.slice(0, -1)}${signature.endsWith('x') ? 'y' : 'x'}`],
    ['12 000 characters', rsa(rs, payload({ much: 'x'.repeat(9_000) }))],
    ['depth beyond its length', rsa(rs, `{"iss":${'['.repeat(7_000)}`)],
    ['no subject', rsa(rs, payload({ sub: undefined }))],
    ['an empty subject', rsa(rs, payload({ sub: '' }))],
    ['a subject that is an object', rsa(rs, payload({ sub: { a: 1 } }))],
    ['a subject with a line break', rsa(rs, payload({ sub: 'ann\nevil' }))],
    ['a subject of 300 characters', rsa(rs, payload({ sub: 'x'.repeat(300) }))],
    ['not before tomorrow', rsa(rs, payload({ nbf: seconds() + 86_400 }))],
    ['nbf that is a text', rsa(rs, payload({ nbf: 'now' }))],
  );
  for (const kid of [
    '../../etc/passwd',
    "' OR 1=1 --",
    'http://127.0.0.1/',
    '\u0000',
    '__proto__',
    'constructor',
    'toString',
    'ONE',
    'one ',
    '',
    'x'.repeat(501),
    '$where',
  ])
    all.push([`kid ${JSON.stringify(kid.slice(0, 20))}`, rsa({ alg: 'RS256', kid })]);
  for (const kid of [1, null, ['one'], { a: 1 }]) all.push([`kid ${JSON.stringify(kid)}`, rsa({ alg: 'RS256', kid })]);
  const over = seconds() - 61;
  for (const exp of [
    undefined,
    null,
    'never',
    String(seconds() + 600),
    [seconds() + 600],
    {},
    true,
    -1,
    0,
    over,
    over + 0.5,
    1e20,
  ])
    all.push([`exp ${JSON.stringify(exp)}`, rsa(rs, payload({ exp }))]);
  all.push(['exp 1e400', rsa(rs, JSON.stringify(payload()).replace(/"exp":\d+/, '"exp":1e400'))]);
  for (const aud of [
    undefined,
    null,
    '',
    'Shop',
    'shop ',
    'sho',
    'shopper',
    ['sho'],
    [],
    [['shop']],
    { shop: 1 },
    ['shop', 1],
  ])
    all.push([`aud ${JSON.stringify(aud)}`, rsa(rs, payload({ aud }))]);
  for (const iss of [
    undefined,
    null,
    issuer.slice(0, -1),
    `${issuer}/`,
    issuer.toUpperCase(),
    ` ${issuer}`,
    [issuer],
    'tidewire',
    '',
  ])
    all.push([`iss ${JSON.stringify(iss)}`, rsa(rs, payload({ iss }))]);
  const twice = JSON.stringify(payload()).replace('{', `{"iss":"${issuer}","aud":"shop",`);
  all.push(['aud twice, the last one wrong', rsa(rs, twice.replace(/"aud":"shop","sub"/, '"aud":"other","sub"'))]);
  all.push(['exp twice, the last one over', rsa(rs, JSON.stringify(payload()).replace(/}$/, ',"exp":1}'))]);
  return all;
}

describe('tokens', () => {
  it('that are forged, malformed or of others are refused in the same words, and no place that they name is asked', async () => {
    await useIssuer(serve([jwkOf(first.publicKey, 'one'), jwkOf(curve.publicKey, 'curve')]));
    expect((await ask(good())).status).toBe(200);
    const nobody = await ask(rsa(rs, payload(), second.privateKey));
    expect(nobody.status).toBe(401);
    const all = forgeries();
    expect(all.length).toBeGreaterThanOrEqual(75);
    const told = new Set(['exp 0', 'exp twice, the last one over']);
    for (const [what, token] of all) {
      const { status, body } = await ask(token);
      expect(`${what} → ${status}`).toBe(`${what} → 401`);
      // A token that is over is refused in its own words: its signature was good.
      const isOver = told.has(what) || /^exp (-1|\d+)/.test(what);
      if (!isOver) expect(`${what} ${body}`).toBe(`${what} ${nobody.body}`);
    }
    expect(fetches.filter(({ path: asked }) => !asked.startsWith('/keys-'))).toEqual([]);
    expect(fetches.length).toBeLessThanOrEqual(2);
    expect((await ask(good())).status).toBe(200);
  });

  it('that are like them and good are taken', async () => {
    const ecToken = await signToken(payload(), { key: curve.privateKey, header: { alg: 'ES256', kid: 'curve' } });
    const takes: [string, string][] = [
      ['RS256', good()],
      ['ES256', ecToken],
      ['typ JWT', rsa({ ...rs, typ: 'JWT' })],
      ['typ of an access token', rsa({ ...rs, typ: 'at+jwt' })],
      ['one of several audiences', rsa(rs, payload({ aud: ['other', 'shop'] }))],
      ['over, but within the tolerance', rsa(rs, payload({ exp: seconds() - 30 }))],
      ['exp with a fraction', rsa(rs, payload({ exp: seconds() + 0.5 }))],
      ['a jku that is not followed', rsa({ ...rs, jku: `${issuerUrl}/evil` })],
    ];
    for (const [what, token] of takes) expect(`${what} → ${(await ask(token)).status}`).toBe(`${what} → 200`);
    expect(fetches).toEqual([]);
  });
});

describe('keys of an issuer', () => {
  const body = () => rsa(rs);

  it('that cannot be had make 503, never 401 and never 200: each way of misbehaving is asked sparingly', async () => {
    const ways: [string, RequestListener][] = [
      ['404', (_request, response) => void response.writeHead(404).end('{}')],
      ['500', (_request, response) => void response.writeHead(500).end('{}')],
      ['HTML', (_request, response) => void response.end('<html>')],
      ['no keys', (_request, response) => void response.end('{"keys":"none"}')],
      ['another host', (_request, response) => void response.writeHead(302, { location: `${issuerUrl}/evil` }).end()],
      ['50 MB', (_request, response) => void response.end(Buffer.alloc(50 * 1024 * 1024, 32))],
      ['a broken connection', (request) => void request.socket.destroy()],
      ['nothing for longer than 5 s', () => undefined],
    ];
    for (const [what, listener] of ways) {
      await useIssuer(listener);
      fetches = [];
      const tries = await Promise.all(Array.from({ length: 20 }, () => ask(body())));
      expect(`${what} ${[...new Set(tries.map(({ status }) => status))]}`).toBe(`${what} 503`);
      expect(`${what} ${fetches.length <= 2} ${fetches.some(({ path: asked }) => asked === '/evil')}`).toBe(
        `${what} true false`,
      );
    }
  }, 60_000);

  it('of another kind than the token says, and a secret among them, are not used', async () => {
    const secretKey = { kty: 'oct', kid: 'one', k: Buffer.from(pem).toString('base64url'), alg: 'HS256' };
    for (const keys of [
      [secretKey],
      [jwkOf(curve.publicKey, 'one')],
      [{ ...jwkOf(first.publicKey, 'one'), use: 'enc' }],
      [],
    ]) {
      await useIssuer(serve(keys));
      expect((await ask(body())).status).toBe(401);
      expect((await ask(hmac({ alg: 'HS256', kid: 'one' }, payload(), pem))).status).toBe(401);
    }
  });

  it('on hosts that are not on the Internet are not asked for, by name or by number, but by those that are trusted', async () => {
    const port = new URL(issuerUrl).port;
    const hosts = ['127.0.0.2', 'localhost', '[::1]', '169.254.169.254', '10.0.0.1', '[::ffff:127.0.0.1]', '0.0.0.0'];
    for (const host of hosts)
      for (const scheme of ['http', 'https']) {
        answer = serve([]);
        path += 1;
        await setAuth({ algorithms: ['RS256'], jwksUrl: `${scheme}://${host}:${port}/keys-${path}` });
        fetches = [];
        expect(`${scheme} ${host} ${(await ask(body())).status}`).toBe(`${scheme} ${host} 503`);
        expect(fetches).toEqual([]);
      }
  });

  it('are changed under load without one wrong refusal, and the old one is taken as long as it is there', async () => {
    const old = jwkOf(first.publicKey, 'one');
    const next = jwkOf(second.publicKey, 'two');
    await useIssuer(serve([old]));
    let isRunning = true;
    let isRotated = false;
    const wrong: string[] = [];
    const counts = { old: 0, next: 0 };
    const loads = Array.from({ length: 10 }, async (_, client) => {
      for (let n = 0; isRunning; n += 1) {
        const isNext = isRotated && n % 2 === 0;
        const token = isNext
          ? rsa({ alg: 'RS256', kid: 'two' }, payload({ sub: `u${client}-${n}` }), second.privateKey)
          : rsa(rs, payload({ sub: `u${client}-${n}` }));
        const { status } = await ask(token);
        counts[isNext ? 'next' : 'old'] += 1;
        if (status !== 200) wrong.push(`${isNext ? 'next' : 'old'} ${status}`);
      }
    });
    await eventually(() => expect(counts.old).toBeGreaterThan(100), { timeoutMs: 30_000 });
    // The issuer publishes the new key first, and then signs with it.
    answer = serve([old, next]);
    isRotated = true;
    await eventually(() => expect(counts.next).toBeGreaterThan(100), { timeoutMs: 30_000 });
    isRunning = false;
    await Promise.all(loads);
    expect(wrong).toEqual([]);
    expect(fetches.length).toBe(2);
  }, 90_000);

  it('are fetched at most twice in a minute however many unknown names come', async () => {
    await useIssuer(serve([jwkOf(first.publicKey, 'one')]));
    fetches = [];
    const [, claims, signature] = body().split('.');
    const unknown = (n: number) => `${part({ alg: 'RS256', kid: `unknown-${n}` })}.${claims}.${signature}`;
    for (let sent = 0; sent < 3_000; sent += 50) {
      const tries = Array.from({ length: 50 }, async (_, n) => (await ask(unknown(sent + n))).status);
      expect(new Set(await Promise.all(tries))).toEqual(new Set([401]));
    }
    expect(fetches.length).toBeLessThanOrEqual(2);
    expect((await ask(body())).status).toBe(200);
  }, 60_000);
});
