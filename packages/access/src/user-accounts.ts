/**
 * The accounts of users whom a database knows by itself. An account is a password beside a document of the collection `users`, under the same id; what the user may stands in the
 * document, the password never does. An account without its document is worth nothing, whoever took it away, and is cleared away when it is come upon.
 */
import { randomBytes, randomUUID } from 'node:crypto';
import type { CatalogDatabase } from '@tidewire/db/catalog';
import type { AdminClient } from '@tidewire/db/client';
import type { SqlPool } from '@tidewire/db/sql-pool';
import type {
  CreatedUserAnswer,
  CreateUserRequest,
  CurrentUserAnswer,
  LogInRequest,
  ResetTokenAnswer,
  SignUpRequest,
  UserAccountAnswer,
  UserTokensAnswer,
} from '@tidewire/protocol/auth-api';
import type { JsonObject } from '@tidewire/protocol/json';
import { invalidFields, Problem } from '@tidewire/protocol/problem';
import { inTransaction } from './admin-transaction.js';
import { tooManyTries } from './admins.js';
import { type AuditChange, auditValue, type Doer, recordAudit, systemDoer } from './audit-log.js';
import { randomBase62 } from './base62.js';
import { createLoginThrottle, type LoginThrottle } from './login-throttle.js';
import type { Passwords } from './passwords.js';
import type { UserPrincipal } from './principal.js';
import { digest } from './refresh-token.js';
import type { UserDirectory } from './user-directory.js';
import { readUserDocument, usersCollection } from './user-document.js';
import type { SessionOwner, SessionTokens, UserSessions } from './user-sessions.js';

/** Who writes a document: `actor` in its event, `by` in its metafields. */
export type DocumentAuthor = { actor: string; by: string };

/** Where the documents of users are written; the law: a commit of its own with its event, or a Problem and nothing done (but `outcome_unknown`, when that cannot be told). */
export interface UserDocuments {
  create(databaseId: number, document: { id: string; fields: JsonObject; author: DocumentAuthor }): Promise<void>;
}

export interface UserAccounts {
  /** Throws `forbidden` when the settings do not let people make accounts, `conflict` when the address has one, and what the write of the document is refused with. */
  signUp(database: CatalogDatabase, request: Omit<SignUpRequest, 'cookie'>, address: string): Promise<UserTokensAnswer>;
  /** Throws `unauthenticated`, in the same words for an unknown account and a wrong password, `too_many_requests`, or `forbidden` when the account is switched off. */
  logIn(database: CatalogDatabase, request: Omit<LogInRequest, 'cookie'>, address: string): Promise<UserTokensAnswer>;
  refresh(database: CatalogDatabase, token: string): Promise<UserTokensAnswer>;
  /** Ends the session of the refresh token, or of the access token when there is none. */
  logOut(database: CatalogDatabase, refresh: string | undefined, principal: UserPrincipal | null): Promise<void>;
  /** A token for a new password, by the address. Throws `not_found`. `doer`: for the audit log; null when an application asks, with a key. */
  createReset(database: CatalogDatabase, email: string, doer: Doer | null): Promise<ResetTokenAnswer>;
  /** The same by the account's id. */
  createResetOf(database: CatalogDatabase, userId: string, doer: Doer): Promise<ResetTokenAnswer>;
  /** Sets the password, and ends all sessions. Throws `unauthenticated` for a token that is not good, or not any more. */
  reset(database: CatalogDatabase, request: { token: string; password: string }): Promise<void>;
  /** Sets the password, and ends all other sessions. Throws `forbidden` for users of another service, `unauthenticated` for a wrong password. */
  changePassword(
    database: CatalogDatabase,
    principal: UserPrincipal,
    request: { current: string; password: string; address: string },
  ): Promise<void>;
  describe(database: CatalogDatabase, principal: UserPrincipal): CurrentUserAnswer;
  /** For admins: with any role, and without a password with a token to set one. The entry in the audit log follows right behind the document's event. */
  create(
    database: CatalogDatabase,
    request: CreateUserRequest,
    author: DocumentAuthor,
    doer?: Doer,
  ): Promise<CreatedUserAnswer>;
  /** The newest thousand. */
  list(databaseId: number): Promise<UserAccountAnswer[]>;
  /** Throws `not_found`. */
  endSessions(databaseId: number, userId: string, doer?: Doer): Promise<number>;
  /** The same by the address. */
  endSessionsOf(databaseId: number, email: string, doer?: Doer): Promise<number>;
  /** Clears away the account if its document is gone. */
  clearAway(databaseId: number, userId: string): Promise<void>;
  /** Clears away accounts whose document is gone; to be called now and then. */
  sweep(): Promise<void>;
}

export type UserAccountsDeps = {
  prisma: AdminClient;
  pool: SqlPool;
  passwords: Passwords;
  sessions: UserSessions;
  directory: Pick<UserDirectory, 'identityOf' | 'rolesOf'>;
  documents: UserDocuments;
  /** Milliseconds since the epoch. */
  now: () => number;
};

/** How long a token for a new password is good. */
export const resetLifetimeMs = 60 * 60_000;
/** Fields of the document that nobody gives oneself. */
const keptFields = ['role', 'roles', 'realtime', 'active', 'sub', 'email'];

const hasDocument = `EXISTS (SELECT FROM documents d JOIN collections c ON c.id = d.collection_id
    WHERE c.database_id = a.database_id AND c.name = '${usersCollection}' AND d.id = a.id)`;
/** A young account may be one whose document is just being written. */
const isAbandoned = `a.created_at < now() - interval '1 minute' AND NOT ${hasDocument}`;
/** By the unique index on (database_id, email). */
const insertAccount = `INSERT INTO user_accounts (database_id, id, email, password_hash) VALUES ($1, $2, $3, $4)
  ON CONFLICT (database_id, email) DO NOTHING`;
const selectAccount = `SELECT a.id, a.email, a.password_hash AS "passwordHash", d.body, d.version
  FROM user_accounts a
    LEFT JOIN collections c ON c.database_id = a.database_id AND c.name = '${usersCollection}'
    LEFT JOIN documents d ON d.collection_id = c.id AND d.id = a.id
  WHERE a.database_id = $1`;

type AccountRow = { id: string; email: string; passwordHash: string; body: JsonObject | null; version: number | null };

export function createUserAccounts(deps: UserAccountsDeps): UserAccounts {
  const { prisma, pool, passwords, sessions, directory, documents, now } = deps;
  const throttleOf = (databaseId: number): LoginThrottle =>
    createLoginThrottle({ pool, now, scope: `database ${databaseId}` });

  async function count(throttle: LoginThrottle, subject: string, address: string): Promise<void> {
    const verdict = await throttle.attempt(subject, address);
    if (verdict.status === 'wait') throw tooManyTries(verdict.seconds);
  }

  /** With its document; null without. */
  async function find(databaseId: number, column: 'email' | 'id', value: string): Promise<AccountRow | null> {
    const { rows } = await pool.query<AccountRow>(`${selectAccount} AND a.${column} = $2`, [databaseId, value]);
    const row = rows[0];
    return row === undefined || row.body === null ? null : row;
  }

  /** Account and document, or neither. */
  async function make(
    { id: databaseId, settings }: CatalogDatabase,
    person: { email: string; password: string; role: string | undefined; data: JsonObject },
    author: DocumentAuthor | null,
  ): Promise<SessionOwner> {
    const { email, password, data } = person;
    const passwordHash = await passwords.hash(password);
    const id = newId(now());
    const values = [databaseId, id, email, passwordHash];
    let { rowCount } = await pool.query(insertAccount, values);
    if (rowCount === 0) {
      await pool.query(`DELETE FROM user_accounts a WHERE a.database_id = $1 AND a.email = $2 AND ${isAbandoned}`, [
        databaseId,
        email,
      ]);
      ({ rowCount } = await pool.query(insertAccount, values));
    }
    if (rowCount === 0) throw new Problem('conflict', 'There is an account with this e-mail address already.');
    const role = person.role ?? settings.auth.defaultRole;
    const fields = { email, ...data, ...(role === null ? {} : { role }) };
    try {
      await documents.create(databaseId, { id, fields, author: author ?? { actor: `user:${id}`, by: email } });
    } catch (error) {
      // When nobody knows whether the document was stored, the account stays: with the document it is good, without it is cleared away.
      const isUnknown = error instanceof Problem && error.code === 'outcome_unknown';
      if (!isUnknown)
        await pool.query('DELETE FROM user_accounts WHERE database_id = $1 AND id = $2', [databaseId, id]);
      throw error;
    }
    return { databaseId, id, email };
  }

  async function setPassword(databaseId: number, userId: string, password: string): Promise<void> {
    const hash = await passwords.hash(password);
    await pool.query('UPDATE user_accounts SET password_hash = $3 WHERE database_id = $1 AND id = $2', [
      databaseId,
      userId,
      hash,
    ]);
    await pool.query('DELETE FROM password_resets WHERE database_id = $1 AND user_id = $2', [databaseId, userId]);
  }

  /** A token for a new password, and the entry in the audit log, or neither. `entry`: null for none. */
  async function createResetFor(
    databaseId: number,
    { id: userId }: { id: string },
    entry: { doer: Doer; change: Pick<AuditChange, 'action' | 'after'> } | null,
  ): Promise<ResetTokenAnswer> {
    const token = `rs_${randomBase62(32)}`;
    const expiresAt = new Date(now() + resetLifetimeMs);
    await inTransaction(prisma, async (transaction) => {
      await transaction.passwordReset.create({ data: { hash: digest(token), databaseId, userId, expiresAt } });
      if (entry === null) return;
      await recordAudit(transaction, entry.doer, { database: databaseId, subject: userId, ...entry.change });
    });
    return { token, expiresAt: expiresAt.toISOString() };
  }

  /** For an admin, say; throws `not_found`. */
  async function createResetBy(
    databaseId: number,
    account: AccountRow | null,
    doer: Doer | null,
  ): Promise<ResetTokenAnswer> {
    if (account === null) throw noAccount();
    const { id, email } = account;
    return createResetFor(databaseId, { id }, doer && { doer, change: { action: 'user.reset', after: { email } } });
  }

  return {
    async signUp(database, { email, password, data }, address) {
      if (!database.settings.auth.signUp) throw new Problem('forbidden', 'Nobody can make an account here.');
      refuseKeptFields(data);
      await count(throttleOf(database.id), `sign-up ${email}`, address);
      const owner = await make(database, { email, password, role: undefined, data: data as JsonObject }, null);
      return answer(owner, await sessions.start(owner));
    },
    async logIn({ id: databaseId }, { email, password }, address) {
      const throttle = throttleOf(databaseId);
      await count(throttle, email, address);
      const account = await find(databaseId, 'email', email);
      const fits = await passwords.verify(account?.passwordHash ?? null, password);
      if (account === null || !fits) throw wrongCredentials();
      await throttle.succeed(email, address);
      refuseInactive(account);
      const owner = { databaseId, id: account.id, email: account.email };
      return answer(owner, await sessions.start(owner));
    },
    async refresh({ id: databaseId }, token) {
      const { owner, tokens } = await sessions.refresh(databaseId, token);
      const account = await find(databaseId, 'id', owner.id);
      if (account === null) {
        await sessions.endAll(databaseId, owner.id);
        throw new Problem('unauthenticated', 'The session has ended. Sign in again.');
      }
      refuseInactive(account);
      return answer(owner, tokens);
    },
    async logOut({ id: databaseId }, refresh, principal) {
      if (refresh !== undefined) return sessions.endByToken(databaseId, refresh);
      const sessionId = principal === null ? null : (directory.identityOf(principal)?.user.sessionId ?? null);
      if (sessionId === null)
        throw new Problem('bad_request', 'There is no session to end. Send the refresh token, or the access token.');
      await sessions.end(databaseId, sessionId);
    },
    createReset: async ({ id }, email, doer) => createResetBy(id, await find(id, 'email', email), doer),
    createResetOf: async ({ id }, userId, doer) => createResetBy(id, await find(id, 'id', userId), doer),
    async reset({ id: databaseId }, { token, password }) {
      const values = [digest(token), databaseId, new Date(now()).toISOString()];
      const condition = 'hash = $1 AND database_id = $2 AND expires_at > $3';
      const { rowCount } = await pool.query(`SELECT FROM password_resets WHERE ${condition}`, values);
      // Hashing is dear: not for whoever has no token. Then it is used up, once.
      if (rowCount === 0) throw badResetToken();
      const taken = await pool.query<{ userId: string }>(
        `DELETE FROM password_resets WHERE ${condition} RETURNING user_id AS "userId"`,
        values,
      );
      const userId = taken.rows[0]?.userId;
      if (userId === undefined) throw badResetToken();
      await setPassword(databaseId, userId, password);
      await sessions.endAll(databaseId, userId);
    },
    async changePassword({ id: databaseId }, principal, { current, password, address }) {
      const identity = directory.identityOf(principal);
      const account = identity?.user.sessionId ? await find(databaseId, 'id', principal.subject) : null;
      if (account === null) throw new Problem('forbidden', 'The password of this user is not kept here.');
      const throttle = throttleOf(databaseId);
      await count(throttle, account.email, address);
      if (!(await passwords.verify(account.passwordHash, current)))
        throw new Problem('unauthenticated', 'The present password is wrong.');
      await throttle.succeed(account.email, address);
      await setPassword(databaseId, account.id, password);
      await sessions.endAll(databaseId, account.id, { spared: identity?.user.sessionId });
    },
    describe(database, principal) {
      const identity = directory.identityOf(principal);
      return {
        user: { id: principal.subject, email: identity?.user.email ?? null },
        roles: [...directory.rolesOf(principal, database)],
        expiresAt: new Date(identity?.user.expiresAt ?? 0).toISOString(),
      };
    },
    async create(database, { email, password, role }, author, doer = systemDoer) {
      const { id } = await make(database, { email, password: password ?? randomUUID(), role, data: {} }, author);
      const change = { action: 'user.create', after: auditValue({ email, role }) };
      if (password === undefined)
        return { id, email, reset: await createResetFor(database.id, { id }, { doer, change }) };
      await recordAudit(prisma, doer, { database: database.id, subject: id, ...change });
      return { id, email, reset: null };
    },
    async list(databaseId) {
      const { rows } = await pool.query<AccountRow & { createdAt: Date; sessions: number }>(
        `SELECT a.id, a.email, d.body, d.version, a.created_at AS "createdAt",
            (SELECT count(*) FROM user_sessions s WHERE s.database_id = a.database_id AND s.user_id = a.id AND s.expires_at > $2) AS sessions
          FROM user_accounts a JOIN collections c ON c.database_id = a.database_id AND c.name = '${usersCollection}'
            JOIN documents d ON d.collection_id = c.id AND d.id = a.id
          WHERE a.database_id = $1 ORDER BY a.created_at DESC, a.id DESC LIMIT 1000`,
        [databaseId, new Date(now()).toISOString()],
      );
      return rows.map(({ id, email, body, version, createdAt, sessions: open }) => {
        const { roles, isActive } = readUserDocument(id, version ?? 0, body ?? {});
        return { id, email, roles: [...roles], isActive, sessions: open, createdAt: createdAt.toISOString() };
      });
    },
    async endSessions(databaseId, userId, doer = systemDoer) {
      if ((await find(databaseId, 'id', userId)) === null) throw noAccount();
      return sessions.endAll(databaseId, userId, { doer });
    },
    async endSessionsOf(databaseId, email, doer = systemDoer) {
      const account = await find(databaseId, 'email', email);
      if (account === null) throw noAccount();
      return sessions.endAll(databaseId, account.id, { doer });
    },
    async clearAway(databaseId, userId) {
      await pool.query(`DELETE FROM user_accounts a WHERE a.database_id = $1 AND a.id = $2 AND NOT ${hasDocument}`, [
        databaseId,
        userId,
      ]);
    },
    async sweep() {
      await pool.query(`DELETE FROM user_accounts a WHERE ${isAbandoned}`);
    },
  };
}

function answer({ id, email }: SessionOwner, tokens: SessionTokens): UserTokensAnswer {
  return { user: { id, email }, ...tokens };
}

/** An id as documents have them: seconds, then random. */
function newId(nowMs: number): string {
  return (
    Math.floor(nowMs / 1_000)
      .toString(16)
      .padStart(8, '0') + randomBytes(8).toString('hex')
  );
}

/** What decides over rights is never taken from whoever it is about; nor what the server keeps. */
function refuseKeptFields(data: Readonly<Record<string, unknown>>): void {
  const wrong = Object.keys(data).filter((name) => keptFields.includes(name) || name.startsWith('_'));
  if (wrong.length === 0) return;
  throw invalidFields(
    wrong
      .slice(0, 20)
      .map((name) => ({ field: `/data/${name.slice(0, 100)}`, message: 'this field is not set by its user' })),
  );
}

function refuseInactive({ id, version, body }: AccountRow): void {
  if (!readUserDocument(id, version ?? 0, body ?? {}).isActive)
    throw new Problem('forbidden', 'The account is switched off.');
}

function wrongCredentials(): Problem {
  return new Problem('unauthenticated', 'Email or password is wrong.');
}

function badResetToken(): Problem {
  return new Problem('unauthenticated', 'The token is not good, or not any more. Ask for another one.');
}

function noAccount(): Problem {
  return new Problem('not_found', 'There is no account of this user.');
}
