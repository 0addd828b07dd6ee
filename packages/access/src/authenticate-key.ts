/**
 * Turns the key of a request into a verified principal. After the first request of a key neither a hash nor a read is needed: the text
 * stands in a bounded map beside the hash that it was verified against, and what the key is now is asked of the catalog's snapshot,
 * so that a revocation counts from the moment the snapshot is newer. After a rotation two texts are good: the new one, and the one before until its time is over.
 *
 * A text that memory does not know as good is read for once, whether its id is unknown or its secret wrong: another process may have made or rotated the key just
 * now. Both take the same steps, so that their time does not tell which it was.
 */
import type { Catalog, CatalogDatabase, CatalogKey } from '@tidewire/db/catalog';
import { Problem } from '@tidewire/protocol/problem';
import { hashApiKey, isSameHash, parseApiKey } from './api-key.js';
import { type CredentialSource, readKeyCredentials } from './key-credentials.js';
import type { ApplicationPrincipal, KeyPrincipal, Principal } from './principal.js';
import { createRecentMap } from './recent-map.js';
import { type Ended, endOf, type Rights } from './rights.js';

/** A good key or user: who it is, and the rights by the snapshot in which they were found. */
export type VerifiedAccess = {
  status: 'verified';
  principal: ApplicationPrincipal;
  database: CatalogDatabase;
  rights: Rights;
};

/** `unknown`: not a key, a key that nobody has, or a wrong secret; callers are never told which. */
export type KeyOutcome =
  | VerifiedAccess
  | { status: 'missing' }
  | { status: 'several' }
  | { status: 'unknown' }
  | { status: 'revoked' }
  /** A user's token that is not taken; `isExpired`: all is well with it but the time. */
  | { status: 'token refused'; isExpired: boolean };

export interface KeyAuthenticator {
  /** The good key of a request by what is in memory, else null, which says nothing yet. No I/O; neither a hash when it was verified lately: measured 0.05 µs. */
  recall(request: CredentialSource): VerifiedAccess | null;
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
const REFUSED_TEXTS = 50_000;
/** How long a text that is no key is answered without another read. */
const REFUSED_FOR_MS = 30_000;
/** Compared with where there is no key: no text has it. */
const hashOfNobody = '-'.repeat(64);

const missing: KeyOutcome = { status: 'missing' };
const several: KeyOutcome = { status: 'several' };
const unknown: KeyOutcome = { status: 'unknown' };
const revoked: KeyOutcome = { status: 'revoked' };

/** What is remembered of a key's text. `hash` is the one it was verified against. */
type Known = { principal: KeyPrincipal; hash: string };

export function createKeyAuthenticator({ catalog, now, onUse }: KeyAuthenticatorDeps): KeyAuthenticator {
  const known = createRecentMap<string, Known>(KNOWN_KEYS);
  const refusedUntil = createRecentMap<string, number>(REFUSED_TEXTS);
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

  function recall(request: CredentialSource): VerifiedAccess | null {
    const credentials = readKeyCredentials(request);
    const outcome = credentials.status === 'one' ? verifyFromMemory(credentials.text) : null;
    return outcome?.status === 'verified' ? outcome : null;
  }

  /** Null when memory does not know the text as that of a key. */
  function verifyFromMemory(text: string): KeyOutcome | null {
    const seen = known.get(text);
    if (seen !== undefined) {
      const database = catalog.peek(seen.principal.databaseId);
      const key = database?.keys.get(seen.principal.keyId);
      if (database && key && isTaken(key, seen.hash, now())) return judge(seen.principal, database, key);
      known.delete(text);
    }
    const id = parseApiKey(text)?.id;
    if (id === undefined || isRefused(text)) return null;
    return compare(text, id, catalog.peekKeyId(id) ?? null);
  }

  function verify(text: string): KeyOutcome | Promise<KeyOutcome> {
    return verifyFromMemory(text) ?? verifyAnew(text);
  }

  function judge(principal: KeyPrincipal, database: CatalogDatabase, key: CatalogKey): KeyOutcome {
    if (endOf(key, now()) !== null) return revoked;
    onUse?.(key.id);
    return { status: 'verified', principal, database, rights: key };
  }

  /** Null when the database has no such key. The same work whether it is the id or the secret that is wrong. */
  function compare(text: string, id: string, database: CatalogDatabase | null): KeyOutcome | null {
    const hash = hashApiKey(text);
    const key = database?.keys.get(id);
    const isPresent = isSameHash(hash, key?.hash ?? hashOfNobody);
    const isPrevious = isSameHash(hash, key?.previous?.hash ?? hashOfNobody);
    if (!database || !key || !(isPresent || (isPrevious && isTaken(key, hash, now())))) return null;
    const principal: KeyPrincipal = { kind: 'key', databaseId: database.id, keyId: id };
    known.set(text, { principal, hash });
    return judge(principal, database, key);
  }

  function verifyAnew(text: string): KeyOutcome | Promise<KeyOutcome> {
    const id = parseApiKey(text)?.id;
    if (id === undefined || isRefused(text)) return unknown;
    return readDatabase(id).then((database) => {
      const outcome = compare(text, id, database);
      if (outcome === null) refusedUntil.set(text, now() + REFUSED_FOR_MS);
      return outcome ?? unknown;
    });
  }

  function isRefused(text: string): boolean {
    return (refusedUntil.get(text) ?? 0) > now();
  }

  /** Requests that come together for one id share one read. */
  function readDatabase(id: string): Promise<CatalogDatabase | null> {
    const underWay = reading.get(id);
    if (underWay !== undefined) return underWay;
    const read = catalog.freshByKeyId(id).finally(() => reading.delete(id));
    reading.set(id, read);
    return read;
  }

  return { recall, authenticate, verify };
}

/** Whether a text of this hash is one that the key is known by now. */
function isTaken(key: CatalogKey, hash: string, now: number): boolean {
  return (
    key.hash === hash || (key.previous !== null && key.previous.hash === hash && key.previous.until.getTime() > now)
  );
}

/** The refusal that stands for an outcome. Unknown, mistyped and wrong keys get the same words; so do those that are revoked, switched off or expired. */
export function keyProblem(outcome: Exclude<KeyOutcome, { status: 'verified' }>): Problem {
  const headers = { 'WWW-Authenticate': 'Bearer realm="tidewire"' };
  switch (outcome.status) {
    case 'several':
      return new Problem('bad_request', 'Several different keys were sent. Send one, in the header x-apikey.');
    case 'missing':
      return new Problem('unauthenticated', 'A key is needed. Send it in the header x-apikey.', { headers });
    case 'token refused':
      return tokenProblem(outcome.isExpired);
    case 'unknown':
    case 'revoked':
      return new Problem(
        'unauthenticated',
        'The key is not valid. Check that it is whole, has not expired and has not been revoked, switched off or rotated.',
        { headers },
      );
  }
}

/** The refusal of a caller that was verified, and stands no more. `expired`: nothing is wrong but the time; told of tokens alone. */
export function endedProblem({ kind }: Pick<Principal, 'kind'>, ended: Ended['ended'] = 'revoked'): Problem {
  return kind === 'user' ? tokenProblem(ended === 'expired') : keyProblem({ status: 'revoked' });
}

/** As RFC 6750, section 3.1, has it. */
function tokenProblem(isExpired: boolean): Problem {
  const detail = isExpired
    ? 'The token has expired. Get a new one.'
    : 'The token is not valid here. Check who issued it, for whom, and that it is whole.';
  return new Problem('unauthenticated', detail, {
    headers: { 'WWW-Authenticate': 'Bearer realm="tidewire", error="invalid_token"' },
  });
}
