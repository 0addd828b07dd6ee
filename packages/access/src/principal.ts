/** Who is asking, once that has been verified. */
import type { CatalogDatabase } from '@tidewire/db/catalog';
import type { AdminRole } from '@tidewire/protocol/admins';
import type { Standing } from './rights.js';

/** An application with a key of one database. */
export type KeyPrincipal = { readonly kind: 'key'; readonly databaseId: number; readonly keyId: string };
/** A user of an application, known by a token. */
export type UserPrincipal = {
  readonly kind: 'user';
  readonly databaseId: number;
  /** The token's subject. */
  readonly subject: string;
  /** What people call the user: the e-mail address if it is known, else the subject. */
  readonly name: string;
  readonly user: KnownUser;
};
/** What this process knows of a user, kept up to date. */
export interface KnownUser {
  /** Where the user stands by the newest snapshot, and by what is known of the user now. `now`: milliseconds since the epoch. No I/O. */
  standing(database: CatalogDatabase, now: number): Standing;
}
/** A person at the dashboard, in a session that can be ended. */
export type AdminPrincipal = {
  readonly kind: 'admin';
  readonly adminId: string;
  readonly email: string;
  readonly role: AdminRole;
  readonly sessionId: string;
  /** Where the request came from; empty where there is none. */
  readonly address: string;
};
/** Those who come through the routes of applications. */
export type ApplicationPrincipal = KeyPrincipal | UserPrincipal;
export type Principal = ApplicationPrincipal | AdminPrincipal;

/** What stands for an application or a user where it is counted by: limits, rates. Ids of keys are unique in a server, subjects of users in their database alone. */
export function holderOf(principal: ApplicationPrincipal): string {
  return principal.kind === 'key' ? principal.keyId : `user:${principal.databaseId}:${principal.subject}`;
}

/** How a principal is written down: `actor` in events (`key:<id>`, `user:<subject>`, `admin:<id>`), `by` in `_createdby` and `_changedby`, as restdb.io's. */
export function authorOf(principal: Principal): { actor: string; by: string } {
  switch (principal.kind) {
    case 'key':
      return { actor: `key:${principal.keyId}`, by: 'api' };
    case 'user':
      return { actor: `user:${principal.subject}`, by: principal.name };
    case 'admin':
      return { actor: `admin:${principal.adminId}`, by: principal.email };
  }
}
