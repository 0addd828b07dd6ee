/** Calls of the admin API, for tests, as a browser makes them. */
import type { AdminRole } from '@tidewire/protocol/admins';
import type { TestApi } from './api.fixture.js';

export type CallInit = { method?: string; body?: unknown; headers?: Record<string, string>; cookie?: string | null };
export type Called = { status: number; headers: Headers; body: unknown; text: string };

export const password = 'correct horse battery';

/** `path` behind `/api`. A body is sent as JSON. */
export async function callAdmin(api: TestApi, path: string, init: CallInit = {}): Promise<Called> {
  const { method = 'GET', body, headers = {}, cookie = null } = init;
  const response = await fetch(`${api.url}/api${path}`, {
    method,
    headers: {
      ...(cookie === null ? {} : { cookie }),
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...headers,
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  const isJson = response.headers.get('content-type')?.includes('json') === true && !text.includes('\n{');
  return { status: response.status, headers: response.headers, body: isJson ? JSON.parse(text) : null, text };
}

/** `name=value` of the cookie that an answer sets. */
export function cookieOf(headers: Headers): string {
  return headers.getSetCookie()[0]?.split(';')[0] ?? '';
}

/** The first admin, an owner; the session's cookie. */
export async function setUpOwner(api: TestApi, email = 'owner@example.org'): Promise<string> {
  const made = await callAdmin(api, '/setup', { method: 'POST', body: { token: api.setupToken, email, password } });
  return cookieOf(made.headers);
}

/** Somebody who was invited by the owner and accepted; the session's cookie. */
export async function join(api: TestApi, owner: string, email: string, role: AdminRole): Promise<string> {
  const invite = await callAdmin(api, '/invites', { method: 'POST', body: { email, role }, cookie: owner });
  const { token } = invite.body as { token: string };
  const accepted = await callAdmin(api, '/invites/accept', { method: 'POST', body: { token, password } });
  return cookieOf(accepted.headers);
}
