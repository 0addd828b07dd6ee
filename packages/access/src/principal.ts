/** Who is asking, once that has been verified. */

/** An application with a key of one database. */
export type KeyPrincipal = { readonly kind: 'key'; readonly databaseId: number; readonly keyId: string };
/** A person at the dashboard, in a session that can be ended. */
export type AdminPrincipal = {
  readonly kind: 'admin';
  readonly adminId: string;
  readonly email: string;
  readonly sessionId: string;
};
export type Principal = KeyPrincipal | AdminPrincipal;

/** How a principal is written down: `actor` in events (`key:<id>`, `admin:<id>`), `by` in `_createdby` and `_changedby`, as restdb.io's. */
export function authorOf(principal: Principal): { actor: string; by: string } {
  switch (principal.kind) {
    case 'key':
      return { actor: `key:${principal.keyId}`, by: 'api' };
    case 'admin':
      return { actor: `admin:${principal.adminId}`, by: principal.email };
  }
}
