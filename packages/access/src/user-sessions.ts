/** The sessions of users with an account: a row each, an access token of a quarter of an hour, and a refresh token that is another one after each use. */
import { randomUUID } from 'node:crypto';
import type { AdminClient } from '@tidewire/db/client';
import type { SqlPool } from '@tidewire/db/sql-pool';
import { Problem } from '@tidewire/protocol/problem';
import { inTransaction } from './admin-transaction.js';
import { type Doer, recordAudit } from './audit-log.js';
import { createRefreshToken, readRefreshToken } from './refresh-token.js';
import type { UserDirectory } from './user-directory.js';
import type { UserTokens } from './user-tokens.js';

/** How long an access token is good. */
export const accessLifetimeSeconds = 15 * 60;
/** How long a session lasts that is not used. */
export const userSessionLifetimeMs = 30 * 24 * 60 * 60_000;

/** Whose session it is. */
export type SessionOwner = { databaseId: number; id: string; email: string };
/** What a client is given. `expiresIn`: seconds. */
export type SessionTokens = { jwt: string; refresh: string; expiresIn: number };

/** `doer`: somebody else than the user does it, and it is to be in the audit log. */
export type EndAllOptions = { spared?: string | null | undefined; doer?: Doer | undefined };

export interface UserSessions {
  start(owner: SessionOwner): Promise<SessionTokens>;
  /** Exchanges a refresh token. One that was used before ends the session: somebody else has it. Throws `unauthenticated`. */
  refresh(databaseId: number, text: string): Promise<{ owner: SessionOwner; tokens: SessionTokens }>;
  /** Ends the session of a refresh token; nothing for one that is not good. */
  endByToken(databaseId: number, text: string): Promise<void>;
  end(databaseId: number, sessionId: string): Promise<void>;
  /** Ends all sessions of a user but the one that is spared. Gives how many. */
  endAll(databaseId: number, userId: string, options?: EndAllOptions): Promise<number>;
  /** Removes those that are over, and tokens for new passwords; to be called now and then. */
  sweep(): Promise<void>;
}

export type UserSessionsDeps = {
  prisma: AdminClient;
  pool: SqlPool;
  tokens: Pick<UserTokens, 'sign'>;
  directory: Pick<UserDirectory, 'endSessions'>;
  serverSecret: string;
  /** Milliseconds since the epoch. */
  now: () => number;
};

/** By the primary key; of two at once the second waits for the first, and finds another hash. */
const rotate = `UPDATE user_sessions s SET refresh_hash = $3, previous_hash = s.refresh_hash, rotated_at = $5, expires_at = $6
  FROM user_accounts a
  WHERE s.id = $1::uuid AND s.refresh_hash = $2 AND s.database_id = $4 AND s.expires_at > $5 AND a.database_id = s.database_id AND a.id = s.user_id
  RETURNING a.id, a.email`;

export function createUserSessions(deps: UserSessionsDeps): UserSessions {
  const { prisma, pool, tokens, directory, serverSecret, now } = deps;
  const time = (ms = 0) => new Date(now() + ms).toISOString();

  async function tokensOf(
    { databaseId, id, email }: SessionOwner,
    sid: string,
    refresh: string,
  ): Promise<SessionTokens> {
    const jwt = await tokens.sign(databaseId, { sub: id, sid, email }, accessLifetimeSeconds);
    return { jwt, refresh, expiresIn: accessLifetimeSeconds };
  }

  async function end(databaseId: number, sessionId: string): Promise<void> {
    const values = [sessionId, databaseId];
    const { rowCount } = await pool.query('DELETE FROM user_sessions WHERE id = $1::uuid AND database_id = $2', values);
    if (rowCount !== 0) directory.endSessions([sessionId]);
  }

  return {
    end,
    async start(owner) {
      const sessionId = randomUUID();
      const { text, hash } = createRefreshToken(sessionId, serverSecret);
      await pool.query(
        `INSERT INTO user_sessions (id, database_id, user_id, refresh_hash, rotated_at, created_at, expires_at)
          VALUES ($1, $2, $3, $4, $5, $5, $6)`,
        [sessionId, owner.databaseId, owner.id, hash, time(), time(userSessionLifetimeMs)],
      );
      return tokensOf(owner, sessionId, text);
    },
    async refresh(databaseId, text) {
      const given = readRefreshToken(text, serverSecret);
      if (given === null) throw noSession();
      const next = createRefreshToken(given.sessionId, serverSecret);
      const values = [given.sessionId, given.hash, next.hash, databaseId, time(), time(userSessionLifetimeMs)];
      const { rows } = await pool.query<{ id: string; email: string }>(rotate, values);
      const row = rows[0];
      if (row === undefined) {
        await end(databaseId, given.sessionId);
        throw noSession();
      }
      const owner = { databaseId, ...row };
      return { owner, tokens: await tokensOf(owner, given.sessionId, next.text) };
    },
    async endByToken(databaseId, text) {
      const given = readRefreshToken(text, serverSecret);
      if (given !== null) await end(databaseId, given.sessionId);
    },
    async endAll(databaseId, userId, { spared = null, doer } = {}) {
      const ended = await inTransaction(prisma, async (transaction) => {
        const rows = await transaction.$queryRaw<{ id: string }[]>`DELETE FROM user_sessions
          WHERE database_id = ${databaseId} AND user_id = ${userId} AND (${spared}::uuid IS NULL OR id <> ${spared}::uuid) RETURNING id::text AS id`;
        const change = {
          action: 'user.sessions',
          database: databaseId,
          subject: userId,
          after: { ended: rows.length },
        };
        if (doer !== undefined && rows.length > 0) await recordAudit(transaction, doer, change);
        return rows.map(({ id }) => id);
      });
      directory.endSessions(ended);
      return ended.length;
    },
    async sweep() {
      await pool.query('DELETE FROM user_sessions WHERE expires_at <= $1', [time()]);
      await pool.query('DELETE FROM password_resets WHERE expires_at <= $1', [time()]);
    },
  };
}

function noSession(): Problem {
  return new Problem('unauthenticated', 'The session has ended. Sign in again.');
}
