/** `POST /auth/jwt`, restdb.io's: a server makes tokens for its users. */
import type { CatalogDatabase } from '@tidewire/db/catalog';
import type { CreatedJwtAnswer, CreateJwtRequest } from '@tidewire/protocol/auth-api';
import { isSecretAlgorithm, type TokenAlgorithm } from '@tidewire/protocol/auth-settings';
import type { JsonObject } from '@tidewire/protocol/json';
import { invalid, invalidFields } from '@tidewire/protocol/problem';
import { importPKCS8, SignJWT } from 'jose';
import type { AuthSecrets } from './auth-secrets.js';
import { SealedSecretError, type SealedSecrets } from './sealed-secrets.js';
import type { UserTokens } from './user-tokens.js';

export interface JwtMaker {
  /** Signs with the secret of the request; without one with that of the database, and without that as our own issuer. Throws `validation_failed`. */
  create(database: CatalogDatabase, request: CreateJwtRequest): Promise<CreatedJwtAnswer>;
}

export type JwtMakerDeps = {
  tokens: Pick<UserTokens, 'sign'>;
  secrets: Pick<AuthSecrets, 'find'>;
  sealed: SealedSecrets;
  /** Milliseconds since the epoch. */
  now: () => number;
};

const DAY_MS = 24 * 60 * 60_000;
const REFRESH_FOR_MS = 30 * DAY_MS;
const HOUR_S = 3_600;
const keptClaims = ['iss', 'aud', 'sub', 'exp', 'iat', 'sid'];

/** What a refresh text holds, sealed. */
type Sealed = { request: CreateJwtRequest; until: number };

export function createJwtMaker({ tokens, secrets, sealed, now }: JwtMakerDeps): JwtMaker {
  const contextOf = (databaseId: number) => `jwt-refresh:${databaseId}`;

  function openRefresh({ id }: CatalogDatabase, text: string): CreateJwtRequest {
    try {
      const { request, until } = JSON.parse(sealed.open(text, contextOf(id))) as Sealed;
      if (until > now()) return request;
    } catch (error) {
      if (!(error instanceof SealedSecretError)) throw error;
    }
    throw invalid('/refresh', 'this was not made here, or is over');
  }

  async function sign(database: CatalogDatabase, request: CreateJwtRequest, subject: string): Promise<string> {
    const { secret, algorithm, issuer, audience, expiresIn = HOUR_S, payload = {} } = request;
    const { auth } = database.settings;
    const wrong = Object.keys(payload).filter((name) => keptClaims.includes(name));
    if (wrong.length > 0)
      throw invalidFields(
        wrong.map((name) => ({ field: `/payload/${name}`, message: 'this claim has its own field' })),
      );
    const claims = { ...(payload as JsonObject), sub: subject };
    const isBySecret = auth.algorithms.every(isSecretAlgorithm);
    const ofDatabase = secret === undefined && isBySecret ? await secrets.find(database) : null;
    if (secret === undefined && ofDatabase === null) {
      refuseOwn({ algorithm, issuer, audience });
      return tokens.sign(database.id, claims, expiresIn);
    }
    const alg = algorithm ?? (ofDatabase === null ? 'HS256' : (auth.algorithms[0] ?? 'HS256'));
    if (ofDatabase !== null && !isSecretAlgorithm(alg))
      throw invalid(
        '/algorithm',
        'the database has a secret for its tokens, no pair of keys',
        auth.algorithms.join(', '),
      );
    const at = Math.floor(now() / 1_000);
    const token = new SignJWT(claims)
      .setProtectedHeader({ alg, typ: 'JWT' })
      .setIssuedAt(at)
      .setExpirationTime(at + expiresIn);
    const [iss, aud] = [issuer ?? auth.issuer, audience ?? auth.audience];
    if (iss !== null) token.setIssuer(iss);
    if (aud !== null) token.setAudience(aud);
    return token.sign(ofDatabase ?? (await keyOf(secret ?? '', alg)));
  }

  return {
    async create(database, given) {
      const request = given.refresh === undefined ? given : openRefresh(database, given.refresh);
      const { subject } = request;
      if (given.refresh !== undefined && Object.keys(given).length > 1)
        throw invalid('/refresh', 'it stands alone: the token is made as the first time');
      if (subject === undefined) throw invalid('/subject', 'it is missing', 'the id of the user');
      const jwt = await sign(database, request, subject);
      const refresh = { request, until: now() + REFRESH_FOR_MS } satisfies Sealed;
      return { jwt, refresh: sealed.seal(JSON.stringify(refresh), contextOf(database.id)) };
    },
  };
}

/** Our own tokens have one issuer, one audience and one algorithm. */
function refuseOwn(given: Pick<CreateJwtRequest, 'algorithm' | 'issuer' | 'audience'>): void {
  const wrong = Object.entries(given).filter(([, value]) => value !== undefined);
  if (wrong.length > 0)
    throw invalidFields(
      wrong.map(([name]) => ({ field: `/${name}`, message: 'it can only be chosen together with a secret' })),
    );
}

async function keyOf(secret: string, algorithm: TokenAlgorithm) {
  if (isSecretAlgorithm(algorithm)) return new TextEncoder().encode(secret);
  try {
    return await importPKCS8(secret, algorithm);
  } catch {
    throw invalid('/secret', `not a private key for ${algorithm}`, 'PKCS #8 as PEM text');
  }
}
