/** The section `auth` of a database's settings: whose tokens are taken, and what the users may who have them. */
import { z } from 'zod';
import { collectionNamePattern, collectionNameRule } from './names.js';
import { originSchema } from './origin.js';

/** Signed with a secret that both sides know (RFC 7518, section 3.2). */
export const secretAlgorithms = ['HS256', 'HS384', 'HS512'] as const;
/** Signed with a private key; the public ones are read from a JWK Set (RFC 7518, sections 3.3 to 3.5). */
export const keyPairAlgorithms = [
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
  'ES256',
  'ES384',
  'ES512',
] as const;
/** Algorithms that a database may take. `none` is none of them. */
export const tokenAlgorithms = [...secretAlgorithms, ...keyPairAlgorithms] as const;
/** One of `tokenAlgorithms`. */
export type TokenAlgorithm = (typeof tokenAlgorithms)[number];

/** The issuer of the tokens that Tidewire itself signs; no other issuer may be called so. */
export const ownIssuer = 'tidewire';

const name = z.string().min(1).max(500);
const issuer = name.refine((text) => text !== ownIssuer, { message: `${ownIssuer} is the name of our own issuer` });
const jwksUrl = z
  .string()
  .max(1_000)
  .refine(isKeysUrl, { message: 'not a URL of keys; allowed: https, without a user, a password or a fragment' });
const algorithms = z
  .array(z.enum(tokenAlgorithms))
  .min(1)
  .max(tokenAlgorithms.length)
  .refine((list) => isOfOneKind(list), {
    message: 'algorithms with a secret (HS…) and with a pair of keys (RS…, PS…, ES…) cannot stand side by side',
  });
const roleName = z.string().regex(collectionNamePattern, `not the name of a role; allowed: ${collectionNameRule}`);
const rolesFrom = z.enum(['users', 'claim']);
const rolesClaim = name;
const userField = z.enum(['sub', 'email']);
const origins = z.array(originSchema).max(100);
const clockToleranceSeconds = z.int().min(0).max(60);

/** Takes no token of another issuer until `issuer` and `audience` are set, and a secret or `jwksUrl`. */
export const authSettingsSchema = z.strictObject({
  /** `iss` of the tokens, to the letter. */
  issuer: issuer.nullable().default(null),
  /** What must stand in `aud`. */
  audience: name.nullable().default(null),
  /** The only algorithms that are taken. HS…: with the shared secret; the others: with the keys of `jwksUrl`. */
  algorithms: algorithms.default(['RS256']),
  /** Where the issuer's JWK Set is. */
  jwksUrl: jwksUrl.nullable().default(null),
  /** Where the roles of a user stand: in `role` and `roles` of the document in the collection `users`, or in a claim of the token. */
  rolesFrom: rolesFrom.default('users'),
  /** The claim, by its name or by a path with dots. */
  rolesClaim: rolesClaim.default('roles'),
  /** The role of users who have none else, and of those who sign up; null for none. */
  defaultRole: roleName.nullable().default(null),
  /** By what the document of a token's user is found: its field `sub` by the claim `sub`, or its field `email` by the claim `email`. */
  userField: userField.default('sub'),
  /** Origins of pages that may use a token alone, without a key. */
  origins: origins.default([]),
  /** Whether people may make an account by themselves. */
  signUp: z.boolean().default(false),
  /** How far the issuer's clock may be off. */
  clockToleranceSeconds: clockToleranceSeconds.default(30),
});

/** A change of them: what is absent stays. */
export const authChangesSchema = z.strictObject({
  issuer: issuer.nullable().optional(),
  audience: name.nullable().optional(),
  algorithms: algorithms.optional(),
  jwksUrl: jwksUrl.nullable().optional(),
  rolesFrom: rolesFrom.optional(),
  rolesClaim: rolesClaim.optional(),
  defaultRole: roleName.nullable().optional(),
  userField: userField.optional(),
  origins: origins.optional(),
  signUp: z.boolean().optional(),
  clockToleranceSeconds: clockToleranceSeconds.optional(),
});

export type AuthSettings = z.infer<typeof authSettingsSchema>;
export type AuthChanges = z.infer<typeof authChangesSchema>;

/** Whether tokens with this algorithm are signed with a shared secret. */
export function isSecretAlgorithm(algorithm: string): boolean {
  return algorithm.startsWith('HS');
}

function isOfOneKind(list: readonly string[]): boolean {
  return new Set(list.map(isSecretAlgorithm)).size === 1;
}

/** http is refused later, unless the host is one that the server's configuration trusts. */
function isKeysUrl(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol, username, password, hash } = new URL(text);
  return ['https:', 'http:'].includes(protocol) && username === '' && password === '' && hash === '';
}
