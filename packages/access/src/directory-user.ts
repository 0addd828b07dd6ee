/** A user that this process knows, by one token: what the token says, and what the document in `users` says now. Pure; the directory feeds it. */
import type { CatalogDatabase } from '@tidewire/db/catalog';
import type { AuthSettings } from '@tidewire/protocol/auth-settings';
import type { JsonObject } from '@tidewire/protocol/json';
import type { KnownUser } from './principal.js';
import { type Ended, endOf, type Rights, type Standing } from './rights.js';
import { rightsOfRoles } from './role-rights.js';
import { claimAt, roleNames, type UserClaims } from './user-claims.js';
import type { UserDocument } from './user-document.js';
import type { UserTokens } from './user-tokens.js';

/** Who it is, as it was verified. */
export type UserIdentity = {
  readonly databaseId: number;
  readonly token: string;
  /** The key that was sent beside the token; null when it came alone. */
  readonly keyId: string | null;
  readonly user: UserClaims;
  /** What the verification rested on. */
  readonly verifiedBy: string;
  /** By what the document is found. */
  readonly userField: AuthSettings['userField'];
};

export class DirectoryUser implements KnownUser {
  readonly identity: UserIdentity;
  /** Streams that are open. */
  holds = 0;
  /** Milliseconds since the epoch. */
  usedAt: number;
  readonly #currentVerifiedBy: UserTokens['currentVerifiedBy'];
  #document: UserDocument | null = null;
  #hadDocument = false;
  #ended: Ended | null = null;
  #known: { database: CatalogDatabase; document: UserDocument | null; rights: Rights } | null = null;

  constructor(identity: UserIdentity, currentVerifiedBy: UserTokens['currentVerifiedBy'], usedAt: number) {
    this.identity = identity;
    this.#currentVerifiedBy = currentVerifiedBy;
    this.usedAt = usedAt;
  }

  /** The document as it is now; null when there is none. */
  learn(document: UserDocument | null): void {
    this.#document = document;
    if (document !== null) this.#hadDocument = true;
    else if (this.#hadDocument) this.end('the user was deleted');
  }

  /** For good. */
  end(reason: string): void {
    this.#ended ??= { status: 'ended', ended: 'revoked', reason };
  }

  get hasEnded(): boolean {
    return this.#ended !== null;
  }

  standing(database: CatalogDatabase, now: number): Standing {
    const { user, keyId, verifiedBy, databaseId, userField } = this.identity;
    if (this.#ended !== null) return this.#ended;
    if (database.id !== databaseId) return this.#over('the token is of another database');
    if (user.expiresAt <= now) return { status: 'ended', ended: 'expired', reason: 'the token has expired' };
    const key = keyId === null ? undefined : database.keys.get(keyId);
    if (keyId !== null && key === undefined) return this.#over('the key was revoked');
    const endOfKey = key === undefined ? null : endOf(key, now);
    if (endOfKey !== null) return endOfKey;
    const { auth } = database.settings;
    const isAnotherWay = verifiedBy !== this.#currentVerifiedBy(database, user.isOwn) || userField !== auth.userField;
    if (isAnotherWay) return this.#over('the settings by which the token was taken are others now');
    // An account is nothing without its document.
    if (user.sessionId !== null && this.#document === null) return this.#over('the user was deleted');
    if (this.#document?.isActive === false) return this.#over('the user is switched off');
    const until = Math.min(user.expiresAt, key?.expiresAt?.getTime() ?? Number.POSITIVE_INFINITY);
    return { status: 'good', rights: this.#rightsBy(database, key?.origins ?? auth.origins), until };
  }

  /** Names of the roles by these settings and the document as it is now. */
  rolesBy(settings: AuthSettings): readonly string[] {
    const { claims, sessionId } = this.identity.user;
    return rolesOf(settings, { claims, hasAccount: sessionId !== null, document: this.#document });
  }

  /** One object as long as neither the snapshot nor the document is another. */
  #rightsBy(database: CatalogDatabase, origins: readonly string[]): Rights {
    const known = this.#known;
    if (known !== null && known.database === database && known.document === this.#document) return known.rights;
    const { user } = this.identity;
    const rights = rightsOfRoles(database, {
      roles: this.rolesBy(database.settings.auth),
      values: { sub: user.subject, claims: user.claims },
      realtime: this.#document?.realtime,
      origins,
      expiresAt: new Date(user.expiresAt),
    });
    this.#known = { database, document: this.#document, rights };
    return rights;
  }

  #over(reason: string): Ended {
    return { status: 'ended', ended: 'revoked', reason };
  }
}

/** Names of the roles of whoever has these claims and this document. Users with an account here have those of the document, whatever the settings say of tokens. */
export function rolesOf(
  { rolesFrom, rolesClaim, defaultRole }: AuthSettings,
  { claims, hasAccount, document }: { claims: JsonObject; hasAccount: boolean; document: UserDocument | null },
): readonly string[] {
  const isByClaim = rolesFrom === 'claim' && !hasAccount;
  const given = isByClaim ? roleNames(claimAt(claims, rolesClaim)) : (document?.roles ?? []);
  return given.length > 0 || defaultRole === null ? given : [defaultRole];
}
