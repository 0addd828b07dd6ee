import type { Request } from 'express';
import { expect, it } from 'vitest';
import { requireSameOrigin } from './same-origin.js';

type Asked = { method?: string; secure?: boolean; headers: Record<string, string> };

/** What `next` is called with: nothing, or the refusal. */
function outcomeOf({ method = 'POST', secure = false, headers }: Asked): string {
  let outcome = '';
  const request = { method, secure, headers: { host: 'tw.example', ...headers } } as unknown as Request;
  requireSameOrigin(request, {} as never, (refusal?: unknown) => {
    outcome = refusal === undefined ? 'goes on' : (refusal as { code: string }).code;
  });
  return outcome;
}

it.each<[string, Asked]>([
  ['goes on', { headers: {} }],
  ['goes on', { headers: { origin: 'https://tw.example' } }],
  ['goes on', { headers: { origin: 'http://tw.example' } }],
  ['goes on', { secure: true, headers: { origin: 'https://tw.example', 'sec-fetch-site': 'same-origin' } }],
  ['goes on', { headers: { 'sec-fetch-site': 'none' } }],
  ['goes on', { method: 'GET', headers: { origin: 'https://evil.example' } }],
  ['origin_refused', { secure: true, headers: { origin: 'http://tw.example' } }],
  ['origin_refused', { headers: { origin: 'https://evil.example' } }],
  ['origin_refused', { headers: { origin: 'https://tw.example.evil.example' } }],
  ['origin_refused', { headers: { origin: 'https://tw.example:8443' } }],
  ['origin_refused', { headers: { origin: 'null' } }],
  ['origin_refused', { headers: { origin: '' } }],
  ['origin_refused', { headers: { 'sec-fetch-site': 'same-site' } }],
  ['origin_refused', { headers: { 'sec-fetch-site': 'cross-site', origin: 'https://tw.example' } }],
  ['origin_refused', { method: 'DELETE', headers: { origin: 'https://evil.example' } }],
])('a change %s when it comes with %j', (outcome, asked) => expect(outcomeOf(asked)).toBe(outcome));
