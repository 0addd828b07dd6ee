import { type IncomingMessage, ServerResponse } from 'node:http';
import { makeCatalogDatabase, makeCatalogKey } from '@tidewire/db/catalog.fixture';
import { expect, it } from 'vitest';
import { createMemoryRateCounter } from './memory-rate-counter.js';
import type { RateCounter } from './rate-counter.js';
import { type AddressedRequest, createRequestLimits } from './request-limits.js';

const keyId = 'aaaaaaaaaaaa';
const principal = { kind: 'key', databaseId: 1, keyId } as const;

function accessWith(rateLimit: number | null) {
  return { principal, database: makeCatalogDatabase({ keys: new Map([[keyId, makeCatalogKey({ rateLimit })]]) }) };
}

function responseOf(): ServerResponse {
  return new ServerResponse({ method: 'GET', headers: {} } as IncomingMessage);
}

const from = (ip: string) => ({ ip }) as AddressedRequest;

it('lets a key through as often as its limit says, tells what is left, and begins anew after a minute', () => {
  let time = 0;
  const now = () => time;
  const limits = createRequestLimits({ counter: createMemoryRateCounter({ now }), attemptsPerAddress: 0, now });
  const said: unknown[] = [];
  for (const at of [0, 10_000, 20_500]) {
    time = at;
    const response = responseOf();
    expect(limits.admit(accessWith(3), response)).toBeUndefined();
    said.push([response.getHeader('RateLimit'), response.getHeader('RateLimit-Policy')]);
  }
  expect(said).toEqual([
    ['"key";r=2;t=60', '"key";q=3;w=60'],
    ['"key";r=1;t=50', '"key";q=3;w=60'],
    ['"key";r=0;t=40', '"key";q=3;w=60'],
  ]);
  const refused = responseOf();
  expect(() => limits.admit(accessWith(3), refused)).toThrow(
    expect.objectContaining({ code: 'too_many_requests', headers: { 'Retry-After': '40' } }),
  );
  expect(refused.getHeader('RateLimit')).toBe('"key";r=0;t=40');
  time = 59_999;
  expect(() => limits.admit(accessWith(3), responseOf())).toThrow('Try again in 1 s.');
  time = 60_000;
  expect(limits.admit(accessWith(3), responseOf())).toBeUndefined();
});

it('takes a changed limit at once, within the minute that has begun', () => {
  const now = () => 0;
  const limits = createRequestLimits({ counter: createMemoryRateCounter({ now }), attemptsPerAddress: 0, now });
  for (let time = 0; time < 5; time += 1) expect(limits.admit(accessWith(5), responseOf())).toBeUndefined();
  expect(() => limits.admit(accessWith(5), responseOf())).toThrow();
  expect(limits.admit(accessWith(10), responseOf())).toBeUndefined();
  expect(() => limits.admit(accessWith(2), responseOf())).toThrow();
});

it('neither counts nor marks the answers of a key without a limit', () => {
  const counter: RateCounter = {
    hit() {
      throw new Error('counted');
    },
    close: () => undefined,
  };
  const limits = createRequestLimits({ counter, attemptsPerAddress: 1, now: () => 0 });
  const response = responseOf();
  expect(limits.admit(accessWith(null), response)).toBeUndefined();
  expect(response.getHeaderNames()).toEqual([]);
});

it('counts IPv6 addresses by their /64, IPv4 ones that are mapped into IPv6 as IPv4, and those of this machine not at all', () => {
  const now = () => 0;
  const limits = createRequestLimits({ counter: createMemoryRateCounter({ now }), attemptsPerAddress: 100, now });
  const isRefused = (address: string) => {
    try {
      return limits.attempt(from(address)) !== undefined;
    } catch {
      return true;
    }
  };
  const tries = (addresses: string[]) => addresses.filter(isRefused).length;
  const many = (make: (n: number) => string) => Array.from({ length: 500 }, (_, n) => make(n));
  expect(tries(many((n) => `2001:db8:0:1:${n.toString(16)}::1`))).toBe(400);
  expect(tries(['2001:DB8::1:0:0:0:1', '2001:0db8:0000:0001::ffff'])).toBe(2);
  expect(tries(['2001:db8:0:2::1'])).toBe(0);
  expect(tries(many((n) => `192.0.2.${n % 250}`))).toBe(0);
  expect(tries(many((n) => (n % 2 === 0 ? '198.51.100.7' : '::ffff:198.51.100.7')))).toBe(400);
  expect(
    tries(
      many(() => '127.0.0.1').concat(
        many(() => '::1'),
        many(() => '::ffff:127.0.0.1'),
      ),
    ),
  ).toBe(0);
});

it('remembers the addresses that came last, however many come', () => {
  const now = () => 0;
  const counter = createMemoryRateCounter({ now });
  counter.hit('first');
  for (let n = 0; n < 99_000; n += 1) counter.hit(`address:${n}`);
  expect(counter.hit('first').hits).toBe(2);
  for (let n = 0; n < 300_000; n += 1) counter.hit(`other:${n}`);
  expect(counter.hit('first').hits).toBe(1);
});
