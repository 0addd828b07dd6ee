/**
 * The public keys of issuers, by the URL of their JWK Set. Kept for ten minutes. A `kid` that is not among them makes them be fetched anew, but no matter how many come, a URL is fetched
 * at most twice in a minute because of them; and while it cannot be fetched, it is left alone for longer and longer, up to half a minute.
 */
import { Problem } from '@tidewire/protocol/problem';
import {
  createRemoteJWKSet,
  customFetch,
  errors,
  exportSPKI,
  type FetchImplementation,
  type JWSHeaderParameters,
  type RemoteJWKSet,
} from 'jose';
import { createRecentMap } from './recent-map.js';

export interface IssuerKeys {
  /** The PEM text (SPKI) of the key that the header names; null when the issuer has none such. Throws `unavailable` when its keys cannot be had. */
  find(url: string, header: JWSHeaderParameters): Promise<string | null>;
}

export type IssuerKeysDeps = {
  fetchKeys: FetchImplementation;
  /** Milliseconds since the epoch. */
  now: () => number;
  /** Told of each fetch that failed. */
  onError: (error: unknown) => void;
};

const REMEMBERED_URLS = 1_000;
const MINUTE_MS = 60_000;
const FETCHES_A_MINUTE = 2;
const TIME_LIMIT_MS = 5_000;
const KEPT_MS = 10 * MINUTE_MS;
const LONGEST_PAUSE_MS = 30_000;

export function createIssuerKeys({ fetchKeys, now, onError }: IssuerKeysDeps): IssuerKeys {
  const issuers = createRecentMap<string, ReturnType<typeof createIssuer>>(REMEMBERED_URLS);

  function createIssuer(url: string) {
    /** When it was fetched, within the last minute. */
    let fetches: number[] = [];
    let failures = 0;
    let restUntil = 0;
    const texts = new WeakMap<object, Promise<string>>();

    const fetchSparingly: FetchImplementation = async (address, options) => {
      if (now() < restUntil) throw new Error('the keys could not be fetched a moment ago');
      fetches = [...fetches.filter((at) => at > now() - MINUTE_MS), now()];
      try {
        const answer = await fetchKeys(address, options);
        if (answer.status !== 200) throw new Error(`the URL of the keys answers with status ${answer.status}`);
        const text = await answer.text();
        JSON.parse(text);
        failures = 0;
        return new Response(text, { status: 200 });
      } catch (error) {
        restUntil = now() + Math.min(LONGEST_PAUSE_MS, 1_000 * 2 ** failures);
        failures += 1;
        onError(error);
        throw error;
      }
    };
    const remote: RemoteJWKSet = createRemoteJWKSet(new URL(url), {
      timeoutDuration: TIME_LIMIT_MS,
      // When an unknown key is worth a fetch is decided here, not by jose, which would not fetch within its cool-down and would without an end outside of it.
      cooldownDuration: Number.POSITIVE_INFINITY,
      cacheMaxAge: KEPT_MS,
      [customFetch]: fetchSparingly,
    });

    /** Null when the issuer has no such key; throws when the keys cannot be had. */
    async function match(header: JWSHeaderParameters): Promise<string | null> {
      try {
        const key = await remote(header);
        const text = texts.get(key) ?? exportSPKI(key);
        texts.set(key, text);
        return await text;
      } catch (error) {
        if (isNoMatch(error)) return null;
        throw error;
      }
    }

    function mayFetchAgain(): boolean {
      return remote.reloading || fetches.filter((at) => at > now() - MINUTE_MS).length < FETCHES_A_MINUTE;
    }

    return async (header: JWSHeaderParameters): Promise<string | null> => {
      const found = await match(header);
      if (found !== null || !mayFetchAgain()) return found;
      await remote.reload();
      return match(header);
    };
  }

  return {
    async find(url, header) {
      const issuer = issuers.get(url) ?? createIssuer(url);
      issuers.set(url, issuer);
      try {
        return await issuer(header);
      } catch (cause) {
        throw new Problem('unavailable', 'The keys of the issuer of the token cannot be read now. Try again later.', {
          headers: { 'Retry-After': '5' },
          cause,
        });
      }
    },
  };
}

/** No key, several keys, or one that cannot be used: the token is refused. */
function isNoMatch(error: unknown): boolean {
  return (
    error instanceof errors.JWKSNoMatchingKey ||
    error instanceof errors.JWKSMultipleMatchingKeys ||
    error instanceof errors.JOSENotSupported ||
    error instanceof errors.JWKInvalid
  );
}
