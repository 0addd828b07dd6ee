/**
 * The tokens of users: signed by us for users with an account, or by the issuer that a database's settings name. What may be taken is fixed per database before a token is looked at: the
 * issuer, the audience, and the list of algorithms; of the token only the name of a key is used to find it.
 */
import { createHmac } from 'node:crypto';
import type { Catalog, CatalogDatabase } from '@tidewire/db/catalog';
import type { SqlPool } from '@tidewire/db/sql-pool';
import { type AuthSettings, isSecretAlgorithm, ownIssuer } from '@tidewire/protocol/auth-settings';
import type { JsonObject } from '@tidewire/protocol/json';
import { SignJWT } from 'jose';
import { type JwtFromRequestFunction, Strategy as JwtStrategy, type SecretOrKeyProvider } from 'passport-jwt';
import type { AuthSecrets } from './auth-secrets.js';
import type { IssuerKeys } from './issuer-keys.js';
import { readTokenShape, type TokenShape } from './token-shape.js';
import { readUserClaims, type UserClaims } from './user-claims.js';

/** `over`: all is well with it but the time. */
export type TokenVerdict = { status: 'good'; user: UserClaims; verifiedBy: string } | { status: 'refused' | 'over' };

export interface UserTokens {
  /** The database whose users the token can be of, by its issuer and audience; null for none, and when there are several. Nothing of the token is verified. */
  locate(token: string): Promise<CatalogDatabase | null>;
  /** Throws `unavailable` when the keys of the issuer cannot be had. */
  verify(token: string, database: CatalogDatabase): Promise<TokenVerdict>;
  /** What `verifiedBy` is now for tokens of this kind; when it is another one than a token was verified by, the token has to be verified anew. */
  currentVerifiedBy(database: CatalogDatabase, isOwn: boolean): string;
  /** A token of our own. */
  sign(databaseId: number, claims: JsonObject & { sub: string }, lifetimeSeconds: number): Promise<string>;
}

export type UserTokensDeps = {
  pool: SqlPool;
  catalog: Catalog;
  serverSecret: string;
  secrets: Pick<AuthSecrets, 'find' | 'versionOf'>;
  issuerKeys: IssuerKeys;
  /** Milliseconds since the epoch. */
  now: () => number;
};

/** All databases that take tokens of others. By the primary key; there are few. */
const selectIssuers = {
  name: 'user-token-issuers',
  text: `SELECT id, settings->'auth'->>'issuer' AS issuer, settings->'auth'->>'audience' AS audience FROM databases
    WHERE deleting_at IS NULL AND settings->'auth'->>'issuer' IS NOT NULL AND settings->'auth'->>'audience' IS NOT NULL`,
};
type IssuerRow = { id: number; issuer: string; audience: string };
/** How long the list of them is believed. */
const ISSUERS_FOR_MS = 1_000;
const OWN = 'own';

/** What one attempt of the strategy comes to. */
type Attempt = { status: 'good'; payload: JsonObject } | { status: 'failed'; reason: unknown };

export function createUserTokens(deps: UserTokensDeps): UserTokens {
  const { pool, catalog, serverSecret, secrets, issuerKeys, now } = deps;
  const own = new Map<number, JwtStrategy>();
  const foreign = new WeakMap<CatalogDatabase, JwtStrategy>();
  let issuers: { rows: Promise<IssuerRow[]>; readAt: number } | undefined;

  function ownStrategy(databaseId: number): JwtStrategy {
    const strategy =
      own.get(databaseId) ??
      createStrategy({
        algorithms: ['HS256'],
        issuer: ownIssuer,
        audience: ownAudience(databaseId),
        toleranceSeconds: 0,
        find: async () => ownKey(serverSecret, databaseId),
      });
    own.set(databaseId, strategy);
    return strategy;
  }

  function foreignStrategy(database: CatalogDatabase, issuer: string, audience: string): JwtStrategy {
    const { algorithms, jwksUrl, clockToleranceSeconds } = database.settings.auth;
    const isSecret = algorithms.every(isSecretAlgorithm);
    const strategy =
      foreign.get(database) ??
      createStrategy({
        algorithms,
        issuer,
        audience,
        toleranceSeconds: clockToleranceSeconds,
        async find({ algorithm, keyId }) {
          if (isSecret) return secrets.find(database);
          if (jwksUrl === null) return null;
          return issuerKeys.find(jwksUrl, { alg: algorithm, ...(keyId === null ? {} : { kid: keyId }) });
        },
      });
    foreign.set(database, strategy);
    return strategy;
  }

  async function issuersNow(): Promise<IssuerRow[]> {
    if (issuers === undefined || issuers.readAt <= now() - ISSUERS_FOR_MS) {
      const rows = pool.query<IssuerRow>(selectIssuers).then((answer) => answer.rows);
      issuers = { rows, readAt: now() };
      rows.catch(() => {
        issuers = undefined;
      });
    }
    return issuers.rows;
  }

  return {
    async locate(token) {
      const shape = readTokenShape(token);
      if (shape === null) return null;
      if (shape.issuer === ownIssuer) return byOwnAudience(shape);
      const rows = await issuersNow();
      const fitting = rows.filter((row) => row.issuer === shape.issuer && shape.audiences.includes(row.audience));
      const [only] = fitting;
      return only === undefined || fitting.length > 1 ? null : catalog.byId(only.id);
    },
    async verify(token, database) {
      const shape = readTokenShape(token);
      if (shape === null) return { status: 'refused' };
      const isOwn = shape.issuer === ownIssuer;
      const { issuer, audience, algorithms, clockToleranceSeconds } = database.settings.auth;
      if (!isOwn && (issuer === null || audience === null || shape.issuer !== issuer)) return { status: 'refused' };
      if (!(isOwn ? ['HS256'] : algorithms).includes(shape.algorithm)) return { status: 'refused' };
      const strategy = isOwn ? ownStrategy(database.id) : foreignStrategy(database, issuer ?? '', audience ?? '');
      // Asked before the signature is looked at: what changes meanwhile makes the verdict one of yesterday, never one of tomorrow.
      if (!isOwn && algorithms.every(isSecretAlgorithm)) await secrets.find(database);
      const verifiedBy = verifiedByOf(database, isOwn);
      const attempt = await attemptWith(strategy, token);
      if (attempt.status === 'failed') return judgeFailure(attempt.reason);
      const user = readUserClaims(attempt.payload, { isOwn, toleranceSeconds: isOwn ? 0 : clockToleranceSeconds });
      return user === null ? { status: 'refused' } : { status: 'good', user, verifiedBy };
    },
    currentVerifiedBy: verifiedByOf,
    sign(databaseId, claims, lifetimeSeconds) {
      const at = Math.floor(now() / 1_000);
      return new SignJWT(claims)
        .setProtectedHeader({ alg: 'HS256', typ: 'JWT' })
        .setIssuer(ownIssuer)
        .setAudience(ownAudience(databaseId))
        .setIssuedAt(at)
        .setExpirationTime(at + lifetimeSeconds)
        .sign(ownKey(serverSecret, databaseId));
    },
  };

  async function byOwnAudience({ audiences }: TokenShape): Promise<CatalogDatabase | null> {
    const id = audiences.length === 1 ? ownAudiencePattern.exec(audiences[0] ?? '')?.[1] : undefined;
    return id === undefined ? null : catalog.byId(Number(id));
  }

  function verifiedByOf({ id, settings }: CatalogDatabase, isOwn: boolean): string {
    return isOwn ? OWN : verificationOf(settings.auth, secrets.versionOf(id));
  }
}

/** What the verification of a token of another issuer rests on. */
function verificationOf(auth: AuthSettings, secretVersion: string): string {
  const { issuer, audience, algorithms, jwksUrl } = auth;
  const key = algorithms.every(isSecretAlgorithm) ? secretVersion : jwksUrl;
  return JSON.stringify([issuer, audience, algorithms, key]);
}

const ownAudiencePattern = /^tidewire:([1-9]\d{0,8})$/;

/** By the number of the database, which stays when it gets another name. */
function ownAudience(databaseId: number): string {
  return `tidewire:${databaseId}`;
}

/** The key of the tokens of a database: of its own, made from the server's secret. */
function ownKey(serverSecret: string, databaseId: number): Buffer {
  return createHmac('sha256', serverSecret).update(`tidewire user token ${databaseId}`).digest();
}

type StrategyOptions = {
  algorithms: AuthSettings['algorithms'];
  issuer: string;
  audience: string;
  toleranceSeconds: number;
  find: (shape: TokenShape) => Promise<string | Buffer | null>;
};

/** passport-jwt, of which the request is nothing but the token. */
function createStrategy({ algorithms, issuer, audience, toleranceSeconds, find }: StrategyOptions): JwtStrategy {
  const jwtFromRequest: JwtFromRequestFunction<TokenRequest> = ({ token }) => token;
  const secretOrKeyProvider: SecretOrKeyProvider<TokenRequest> = ({ token }, _raw, done) => {
    const shape = readTokenShape(token);
    if (shape === null) return done(noKey);
    find(shape).then(
      (key) => (key === null ? done(noKey) : done(null, key)),
      (cause: unknown) => done(new KeysUnavailable('the key could not be found', { cause })),
    );
  };
  return new JwtStrategy(
    {
      jwtFromRequest,
      secretOrKeyProvider,
      algorithms,
      issuer,
      audience,
      jsonWebTokenOptions: { clockTolerance: toleranceSeconds },
    },
    (payload: unknown, done) => done(null, isObject(payload) ? payload : false),
  );
}

type TokenRequest = { token: string };
const noKey = new Error('no key');

/** Runs a strategy as Passport does: on a copy that has somewhere to report to. */
function attemptWith(strategy: JwtStrategy, token: string): Promise<Attempt> {
  return new Promise((resolve, reject) => {
    const attempt: object = Object.assign(Object.create(strategy), {
      success: (payload: JsonObject) => resolve({ status: 'good', payload }),
      fail: (reason: unknown) => resolve({ status: 'failed', reason }),
      error: reject,
    });
    Reflect.apply(JwtStrategy.prototype.authenticate, attempt, [{ token }]);
  });
}

/** The way to the key failed: nothing is said about the token. */
class KeysUnavailable extends Error {
  override readonly name = 'KeysUnavailable';
}

/** What failed on the way to the key is thrown on; all that is wrong with the token itself is one and the same to whoever sent it, whatever the libraries call it. */
function judgeFailure(reason: unknown): TokenVerdict {
  if (reason instanceof KeysUnavailable) throw reason.cause;
  return { status: reason instanceof Error && reason.name === 'TokenExpiredError' ? 'over' : 'refused' };
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
