/** What a caller may do in its database: the grants it holds, by one snapshot of the catalog, and how long that stands. */
import type { CatalogDatabase, CatalogKey } from '@tidewire/db/catalog';
import type { ApplicationPrincipal } from './principal.js';
import type { Rules } from './rule.js';

/** Grants, whoever holds them: a key (`CatalogKey` is one of these), or a user by its roles. */
export type Rights = Pick<
  CatalogKey,
  'databaseId' | 'rest' | 'listen' | 'publish' | 'origins' | 'revokedAt' | 'disabledAt' | 'expiresAt'
> & {
  /** Absent for keys, which no rule binds. */
  readonly rules?: Rules;
};

/** Why a caller may nothing any more. `ended` is the name of the event that its streams end with. */
export type Ended = { status: 'ended'; ended: 'revoked' | 'expired'; reason: string };
/** `until`: milliseconds since the epoch, when it has to be asked again; Infinity for never. */
export type Standing = { status: 'good'; rights: Rights; until: number } | Ended;

/** Where an application stands by the newest snapshot. `now`: milliseconds since the epoch. */
export function standingOf(
  principal: ApplicationPrincipal,
  database: CatalogDatabase,
  now: number = Date.now(),
): Standing {
  if (principal.kind === 'user') return principal.user.standing(database, now);
  const key = database.keys.get(principal.keyId);
  if (key === undefined) return { status: 'ended', ended: 'revoked', reason: 'the key was revoked' };
  return (
    endOf(key, now) ?? { status: 'good', rights: key, until: key.expiresAt?.getTime() ?? Number.POSITIVE_INFINITY }
  );
}

/** Null while the key is good. */
export function endOf(
  { revokedAt, disabledAt, expiresAt }: Pick<Rights, 'revokedAt' | 'disabledAt' | 'expiresAt'>,
  now: number,
): Ended | null {
  if (revokedAt !== null) return { status: 'ended', ended: 'revoked', reason: 'the key was revoked' };
  if (disabledAt !== null) return { status: 'ended', ended: 'revoked', reason: 'the key is switched off' };
  if (expiresAt !== null && expiresAt.getTime() <= now)
    return { status: 'ended', ended: 'expired', reason: 'the key has expired' };
  return null;
}
