/** The admin of the trials, and tokens of an issuer with a shared secret. */
import { createHmac } from 'node:crypto';

/** Environment variables of a server: its first admin. */
export const admin = { ADMIN_EMAIL: 'trials@example.org', ADMIN_PASSWORD: 'a password for this run only' };

/** The session cookie of the admin. @param {number} port */
export async function signIn(port) {
  const answer = await fetch(`http://127.0.0.1:${port}/api/session`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ email: admin.ADMIN_EMAIL, password: admin.ADMIN_PASSWORD }),
  });
  if (!answer.ok) throw new Error(`POST /api/session answered ${answer.status}`);
  return String(answer.headers.get('set-cookie')).split(';')[0];
}

/**
 * The admin API of a server. Rejects on any refusal.
 * @param {{ port: number, cookie: string }} session @param {string} method @param {string} path behind `/api/databases/` @param {unknown} [body]
 */
export async function callAdmin({ port, cookie }, method, path, body) {
  const answer = await fetch(`http://127.0.0.1:${port}/api/databases/${path}`, {
    method,
    headers: { cookie, 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await answer.text();
  if (!answer.ok) throw new Error(`${method} ${path} answered ${answer.status}: ${text}`);
  return JSON.parse(text);
}

/** What makes a database take the tokens of `signToken`; the secret goes to its `auth/secret`. */
export const issuerSettings = {
  issuer: 'https://issuer.example/',
  audience: 'trials',
  algorithms: ['HS256'],
  clockToleranceSeconds: 0,
};
export const issuerSecret = 'for this run only, and as long as a hash is';

/** A token by HS256 (RFC 7519). @param {{ sub: string, exp: number }} claims `exp` in seconds since the epoch */
export function signToken({ sub, exp }) {
  const part = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const { issuer: iss, audience: aud } = issuerSettings;
  const text = `${part({ alg: 'HS256', typ: 'JWT' })}.${part({ iss, aud, sub, exp })}`;
  return `${text}.${createHmac('sha256', issuerSecret).update(text).digest('base64url')}`;
}
