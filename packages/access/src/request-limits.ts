/**
 * How many requests are let through in a minute: of a key that has a limit, and of an address without a good key. Who is above gets `too_many_requests` with `Retry-After`; every answer
 * to a key with a limit says what is left of it (`RateLimit` and `RateLimit-Policy`, draft-ietf-httpapi-ratelimit-headers-10).
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { Problem } from '@tidewire/protocol/problem';
import type { VerifiedAccess } from './authenticate-key.js';
import { addressGroup } from './login-throttle.js';
import { type RateCount, type RateCounter, rateWindowMs } from './rate-counter.js';

/** A request that Express has looked at. `ip`: the address of the client, by `trust proxy`. */
export type AddressedRequest = IncomingMessage & { ip?: string | undefined };

export interface RequestLimits {
  /** Counts a request of a verified caller, and writes what is left on the response. Throws or rejects `too_many_requests`. At once for keys without a limit. */
  admit(access: Pick<VerifiedAccess, 'principal' | 'database'>, response: ServerResponse): undefined | Promise<void>;
  /** Counts a request without a key that is known as good, before anything is read for it. Throws or rejects `too_many_requests`. */
  attempt(request: AddressedRequest): undefined | Promise<void>;
}

export type RequestLimitsDeps = {
  counter: RateCounter;
  /** Requests without a good key in a minute of one address, or of one /64 of IPv6; 0 for any number. */
  attemptsPerAddress: number;
  /** Addresses that are not counted. By default those of this machine: a proxy that is not trusted, a program beside the server. */
  isExempt?: (address: string) => boolean;
  /** Milliseconds since the epoch. */
  now: () => number;
};

const windowSeconds = rateWindowMs / 1_000;

export function createRequestLimits(deps: RequestLimitsDeps): RequestLimits {
  const { counter, attemptsPerAddress, isExempt = isLoopback, now } = deps;

  function secondsLeft({ resetAt }: RateCount): number {
    return Math.max(1, Math.ceil((resetAt - now()) / 1_000));
  }

  function judge(count: RateCount, limit: number, of: string): undefined {
    if (count.hits <= limit) return undefined;
    const seconds = secondsLeft(count);
    throw new Problem('too_many_requests', `${of} Try again in ${seconds} s.`, {
      headers: { 'Retry-After': String(seconds) },
    });
  }

  function judgeKey(count: RateCount, limit: number, response: ServerResponse): undefined {
    const left = Math.max(0, limit - count.hits);
    response.setHeader('RateLimit', `"key";r=${left};t=${secondsLeft(count)}`);
    response.setHeader('RateLimit-Policy', `"key";q=${limit};w=${windowSeconds}`);
    return judge(count, limit, `The key has used up its ${limit} requests of this minute.`);
  }

  function judgeAddress(count: RateCount): undefined {
    return judge(count, attemptsPerAddress, 'Too many requests without a good key came from this address.');
  }

  return {
    admit({ principal, database }, response) {
      if (principal.kind !== 'key') return undefined;
      const limit = database.keys.get(principal.keyId)?.rateLimit ?? null;
      if (limit === null) return undefined;
      const count = counter.hit(`key:${principal.keyId}`);
      if (count instanceof Promise) return count.then((settled) => judgeKey(settled, limit, response));
      return judgeKey(count, limit, response);
    },
    attempt({ ip = '' }) {
      const address = addressGroup(ip);
      if (attemptsPerAddress === 0 || isExempt(address)) return undefined;
      const count = counter.hit(`address:${address}`);
      return count instanceof Promise ? count.then(judgeAddress) : judgeAddress(count);
    },
  };
}

/** Whether the address, or the group of it, is of this machine itself. */
export function isLoopback(address: string): boolean {
  return /^(127\.|::1$|0:0:0:0::\/64$)/.test(address);
}

/** Counts nothing and lets everybody through. */
export const noRequestLimits: RequestLimits = { admit: () => undefined, attempt: () => undefined };
