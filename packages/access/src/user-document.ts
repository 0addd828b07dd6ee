/** What a document of the collection `users` says of what its user may. Whatever else stands in it is the application's. */

import { type GrantKind, parseGrant } from '@tidewire/protocol/channel';
import type { JsonObject, JsonValue } from '@tidewire/protocol/json';
import { roleNames } from './user-claims.js';

/** The collection of the users of a database. */
export const usersCollection = 'users';

export type UserDocument = {
  readonly id: string;
  readonly version: number;
  readonly email: string | null;
  /** From `role` and `roles`, in this order, each once. */
  readonly roles: readonly string[];
  /** From `realtime`, restdb.io's form: what is no grant there is passed over. */
  readonly realtime: { readonly sub: readonly string[]; readonly pub: readonly string[] };
  /** False when the document says `"active": false`. */
  readonly isActive: boolean;
};

/** Reads the fields of a document. */
export function readUserDocument(id: string, version: number, fields: JsonObject): UserDocument {
  const { role, roles, realtime, email, active } = fields;
  const lists = typeof realtime === 'object' && realtime !== null && !Array.isArray(realtime) ? realtime : {};
  return {
    id,
    version,
    email: typeof email === 'string' ? email : null,
    roles: [...new Set([...roleNames(role), ...roleNames(roles)])],
    realtime: { sub: grantsOf('listen', lists.sub), pub: grantsOf('publish', lists.pub) },
    isActive: active !== false,
  };
}

function grantsOf(kind: GrantKind, value: JsonValue | undefined): readonly string[] {
  return roleNames(value).flatMap((text) => parseGrant(kind, text) ?? []);
}
