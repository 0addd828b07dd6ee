/**
 * Turns the key of a request into a verified principal. After the first request of a key neither a hash nor a read is needed: the text
 * stands in a bounded map beside the hash that it was verified against, and what the key is now is asked of the catalog's snapshot,
 * so that a revocation counts from the moment the snapshot is newer.
 */
import type { Catalog, CatalogDatabase, CatalogKey } from '@tidewire/db/catalog';
import { Problem } from '@tidewire/protocol/problem';
import { isApiKey, parseApiKey } from './api-key.js';
import { type CredentialSource, readKeyCredentials } from './key-credentials.js';
import type { KeyPrincipal } from './principal.js';
import { createRecentMap } from './recent-map.js';

/** A good key, with the snapshot in which it was found so. */
export type VerifiedKey = { status: 'verified'; principal: KeyPrincipal; database: CatalogDatabase; key: CatalogKey };

/** `unknown`: not a key, a key that nobody has, or a wrong secret; callers are never told which. */
export type KeyOutcome =
  | VerifiedKey
  | { status: 'missing' }
  | { status: 'several' }
  | { status: 'unknown' }
  | { status: 'revoked' };

export interface KeyAuthenticator {
  /** The good key of a request if it was verified lately, else null, which says nothing yet. Neither I/O nor hash: measured 0.05 µs. */
  recall(request: CredentialSource): VerifiedKey | null;
  /** At once for keys that were seen lately and for what cannot be a key; a promise when the catalog must read first. Rejects with the read's error. */
  authenticate(request: CredentialSource): KeyOutcome | Promise<KeyOutcome>;
  /** The same for a text that is already at hand. */
  verify(text: string): KeyOutcome | Promise<KeyOutcome>;
}

export type KeyAuthenticatorDeps = {
  catalog: Catalog;
  /** Milliseconds since the epoch. */
  now: () => number;
  /** Told of each use of a good key; must be cheap. */
  onUse?: (keyId: string) => void;
};

const KNOWN_KEYS = 10_000;
const UNKNOWN_IDS = 50_000;
/** How long an id that nobody has is answered without another read. */
const UNKNOWN_FOR_MS = 30_000;

const missing: KeyOutcome = { status: 'missing' };
const several: KeyOutcome = { status: 'several' };
const unknown: KeyOutcome = { status: 'unknown' };
const revoked: KeyOutcome = { status: 'revoked' };

/** What is remembered of a key's text. `hash` is the one it was verified against. */
type Known = { principal: KeyPrincipal; hash: string };

export function createKeyAuthenticator({ catalog, now, onUse }: KeyAuthenticatorDeps): KeyAuthenticator {
  const known = createRecentMap<string, Known>(KNOWN_KEYS);
  const unknownUntil = createRecentMap<string, number>(UNKNOWN_IDS);
  const reading = new Map<string, Promise<CatalogDatabase | null>>();

  function authenticate(request: CredentialSource): KeyOutcome | Promise<KeyOutcome> {
    const credentials = readKeyCredentials(request);
    switch (credentials.status) {
      case 'one':
        return verify(credentials.text);
      case 'none':
        return missing;
      case 'several':
        return several;
    }
  }

  function recall(request: CredentialSource): VerifiedKey | null {
    const credentials = readKeyCredentials(request);
    const outcome = credentials.status === 'one' ? recallText(credentials.text) : null;
    return outcome?.status === 'verified' ? outcome : null;
  }

  function recallText(text: string): KeyOutcome | null {
    const seen = known.get(text);
    const database = seen && catalog.peek(seen.principal.databaseId);
    const key = seen && database?.keys.get(seen.principal.keyId);
    return seen && database && key && key.hash === seen.hash ? judge(seen.principal, database, key) : null;
  }

  function verify(text: string): KeyOutcome | Promise<KeyOutcome> {
    return recallText(text) ?? verifyAnew(text);
  }

  function judge(principal: KeyPrincipal, database: CatalogDatabase, key: CatalogKey): KeyOutcome {
    if (key.revokedAt !== null) return revoked;
    onUse?.(key.id);
    return { status: 'verified', principal, database, key };
  }

  function verifyAnew(text: string): KeyOutcome | Promise<KeyOutcome> {
    const id = parseApiKey(text)?.id;
    if (id === undefined) return unknown;
    if ((unknownUntil.get(id) ?? 0) > now()) return unknown;
    return readDatabase(id).then((database) => {
      const key = database?.keys.get(id);
      if (!database || !key) {
        unknownUntil.set(id, now() + UNKNOWN_FOR_MS);
        return unknown;
      }
      if (!isApiKey(text, key.hash)) return unknown;
      const principal: KeyPrincipal = { kind: 'key', databaseId: database.id, keyId: id };
      known.set(text, { principal, hash: key.hash });
      return judge(principal, database, key);
    });
  }

  /** Requests that come together for one id share one read. */
  function readDatabase(id: string): Promise<CatalogDatabase | null> {
    const underWay = reading.get(id);
    if (underWay !== undefined) return underWay;
    const read = catalog.byKeyId(id).finally(() => reading.delete(id));
    reading.set(id, read);
    return read;
  }

  return { recall, authenticate, verify };
}

/** The refusal that stands for an outcome. Unknown, mistyped and wrong keys get the same words; so do revoked ones. */
export function keyProblem(outcome: Exclude<KeyOutcome, { status: 'verified' }>): Problem {
  const headers = { 'WWW-Authenticate': 'Bearer realm="tidewire"' };
  switch (outcome.status) {
    case 'several':
      return new Problem('bad_request', 'Several different keys were sent. Send one, in the header x-apikey.');
    case 'missing':
      return new Problem('unauthenticated', 'A key is needed. Send it in the header x-apikey.', { headers });
    case 'unknown':
    case 'revoked':
      return new Problem('unauthenticated', 'The key is not valid. Check that it is whole and has not been revoked.', {
        headers,
      });
  }
}
