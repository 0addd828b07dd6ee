/**
 * Turns the token of a user, alone or beside a key, into a verified principal; requests with a key alone are left to the keys' own authenticator. A token that was verified lately is
 * known by its text, and where its user stands is asked of what the directory knows now, so that the end of a user counts from the moment the directory knows of it.
 */
import type { Catalog, CatalogDatabase } from '@tidewire/db/catalog';
import type { KeyAuthenticator, KeyOutcome, VerifiedAccess } from './authenticate-key.js';
import type { CredentialSource } from './key-credentials.js';
import type { UserPrincipal } from './principal.js';
import { standingOf } from './rights.js';
import { mayHaveToken, readUserCredentials } from './user-credentials.js';
import { credentialOf, type UserDirectory } from './user-directory.js';
import type { UserTokens } from './user-tokens.js';

export type UserAuthenticatorDeps = {
  keys: KeyAuthenticator;
  catalog: Catalog;
  directory: UserDirectory;
  tokens: UserTokens;
  /** Milliseconds since the epoch. */
  now: () => number;
};

const refused: KeyOutcome = { status: 'token refused', isExpired: false };
const expired: KeyOutcome = { status: 'token refused', isExpired: true };

/** An authenticator of keys and of users. */
export function createUserAuthenticator(deps: UserAuthenticatorDeps): KeyAuthenticator {
  const { keys, catalog, directory, tokens, now } = deps;

  /** By the newest snapshot in memory; null when it has to be verified anew. */
  function judge(principal: UserPrincipal | null): KeyOutcome | null {
    const database = principal === null ? undefined : catalog.peek(principal.databaseId);
    if (principal === null || database === undefined) return null;
    const standing = standingOf(principal, database, now());
    return standing.status === 'good' ? { status: 'verified', principal, database, rights: standing.rights } : null;
  }

  function recall(request: CredentialSource): VerifiedAccess | null {
    if (!mayHaveToken(request)) return keys.recall(request);
    const credentials = readUserCredentials(request);
    if (credentials.status === 'key') return keys.recall(request);
    if (credentials.status !== 'token') return null;
    const outcome = recallToken(credentials.token, credentials.key);
    return outcome?.status === 'verified' ? outcome : null;
  }

  function recallToken(token: string, key: string | null): KeyOutcome | null {
    if (key === null) return judge(directory.peekAlone(token));
    const ofKey = keys.verify(key);
    return ofKey instanceof Promise ? null : withKey(token, ofKey);
  }

  /** The user beside a key that was verified. */
  function withKey(token: string, ofKey: KeyOutcome): KeyOutcome | null {
    if (ofKey.status !== 'verified' || ofKey.principal.kind !== 'key') return ofKey;
    const { databaseId, keyId } = ofKey.principal;
    return judge(directory.peek(databaseId, credentialOf(databaseId, token, keyId)));
  }

  async function verifyToken(token: string, key: string | null): Promise<KeyOutcome> {
    if (key === null) {
      const database = await tokens.locate(token);
      return database === null ? refused : verifyIn(database, token, null);
    }
    const ofKey = await keys.verify(key);
    if (ofKey.status !== 'verified' || ofKey.principal.kind !== 'key') return ofKey;
    return withKey(token, ofKey) ?? verifyIn(ofKey.database, token, ofKey.principal.keyId);
  }

  async function verifyIn(database: CatalogDatabase, token: string, keyId: string | null): Promise<KeyOutcome> {
    const verdict = await tokens.verify(token, database);
    if (verdict.status !== 'good') return verdict.status === 'over' ? expired : refused;
    const { user, verifiedBy } = verdict;
    const { userField } = database.settings.auth;
    const identity = { databaseId: database.id, token, keyId, user, verifiedBy, userField };
    const principal = await directory.enter(database, identity);
    const newest = catalog.peek(database.id) ?? database;
    const standing = standingOf(principal, newest, now());
    if (standing.status === 'good') return { status: 'verified', principal, database: newest, rights: standing.rights };
    return standing.ended === 'expired' ? expired : refused;
  }

  return {
    recall,
    authenticate(request) {
      if (!mayHaveToken(request)) return keys.authenticate(request);
      const credentials = readUserCredentials(request);
      switch (credentials.status) {
        case 'token': {
          const { token, key } = credentials;
          return recallToken(token, key) ?? verifyToken(token, key);
        }
        case 'several':
          return { status: 'several' };
        case 'key':
        case 'none':
          return keys.authenticate(request);
      }
    },
    verify: (text) => keys.verify(text),
  };
}
