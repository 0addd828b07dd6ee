/** All that has to do with users of applications, put together over the same connections. */
import type { Catalog } from '@tidewire/db/catalog';
import type { AdminClient } from '@tidewire/db/client';
import type { SqlPool } from '@tidewire/db/sql-pool';
import { type AuthSecrets, createAuthSecrets } from './auth-secrets.js';
import type { KeyAuthenticator } from './authenticate-key.js';
import { createUserAuthenticator } from './authenticate-user.js';
import type { ConfigNotice } from './config-version.js';
import { createJwtMaker, type JwtMaker } from './create-jwt.js';
import { createIssuerFetch } from './issuer-fetch.js';
import { createIssuerKeys } from './issuer-keys.js';
import type { Passwords } from './passwords.js';
import { createSealedSecrets, type SealedSecrets } from './sealed-secrets.js';
import { createUserAccounts, type UserAccounts, type UserDocuments } from './user-accounts.js';
import { createUserDirectory, type UserDirectory, type UserDirectoryDeps, type UsersFeed } from './user-directory.js';
import { createUserSessions } from './user-sessions.js';
import { createUserTokens, type UserTokens } from './user-tokens.js';

export type Users = {
  /** Of keys and of users. */
  authenticator: KeyAuthenticator;
  directory: UserDirectory;
  tokens: UserTokens;
  secrets: AuthSecrets;
  sealed: SealedSecrets;
  accounts: UserAccounts;
  jwtMaker: JwtMaker;
  /** Removes what is over; to be called now and then. */
  sweep(): Promise<void>;
  /** Stops what looks at Postgres by itself. */
  close(): void;
};

export type UsersDeps = {
  prisma: AdminClient;
  pool: SqlPool;
  catalog: Catalog;
  keys: KeyAuthenticator;
  feed: UsersFeed;
  documents: UserDocuments;
  passwords: Passwords;
  indexesOf: UserDirectoryDeps['indexesOf'];
  serverSecret: string;
  notify: ConfigNotice;
  /** Hosts of issuers that may be asked over http and at private addresses. */
  trustedHosts: readonly string[];
  /** Told of what failed beside the requests. */
  onError: (error: unknown) => void;
  /** Milliseconds since the epoch. */
  now: () => number;
};

/** To be closed by the caller. */
export function createUsers(deps: UsersDeps): Users {
  const { prisma, pool, catalog, keys, feed, documents, passwords, indexesOf } = deps;
  const { serverSecret, notify, trustedHosts, onError, now } = deps;
  const sealed = createSealedSecrets(serverSecret);
  const secrets = createAuthSecrets({ prisma, catalog, sealed, notify, onError, now });
  const issuerKeys = createIssuerKeys({ fetchKeys: createIssuerFetch({ trustedHosts }), now, onError });
  const tokens = createUserTokens({ pool, catalog, serverSecret, secrets, issuerKeys, now });
  const directory = createUserDirectory({ pool, feed, tokens, indexesOf, now, onError });
  const authenticator = createUserAuthenticator({ keys, catalog, directory, tokens, now });
  const sessions = createUserSessions({ prisma, pool, tokens, directory, serverSecret, now });
  const accounts = createUserAccounts({ prisma, pool, passwords, sessions, directory, documents, now });
  directory.onDeleted((databaseId, userId) => void accounts.clearAway(databaseId, userId).catch(onError));
  // A secret that was changed is found a moment after the configuration that says so.
  secrets.onChange((databaseId) => directory.judgeAgain(databaseId));
  return {
    authenticator,
    directory,
    tokens,
    secrets,
    sealed,
    accounts,
    jwtMaker: createJwtMaker({ tokens, secrets, sealed, now }),
    async sweep() {
      await sessions.sweep();
      await accounts.sweep();
    },
    close() {
      secrets.close();
      directory.close();
    },
  };
}
