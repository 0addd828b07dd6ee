/** `/auth`: requests and answers of users of applications. Times are ISO 8601 in UTC. */
import { z } from 'zod';
import { tokenAlgorithms } from './auth-settings.js';
import { collectionNamePattern, collectionNameRule } from './names.js';

const email = z
  .email()
  .max(254)
  .transform((text) => text.toLowerCase());
/** NIST SP 800-63B: at least 8; ours is 10. The upper bound keeps hashing cheap. */
const newPassword = z.string().min(10).max(256);
const givenPassword = z.string().max(256);
const givenToken = z.string().min(1).max(500);
const jsonObject = z.record(z.string(), z.unknown());
/** Whether the access token comes as a cookie as well. */
const cookie = z.boolean().default(false);

/** `POST /auth/signup`. `data`: further fields of the user's document. */
export const signUpRequestSchema = z.strictObject({
  email,
  password: newPassword,
  data: jsonObject.default({}),
  cookie,
});
/** `POST /auth/login`. The password has no lower bound here: a wrong one is refused as wrong, whatever its length. */
export const logInRequestSchema = z.strictObject({ email, password: givenPassword, cookie });
/** `POST /auth/refresh`. */
export const refreshRequestSchema = z.strictObject({ refresh: givenToken, cookie });
/** `POST /auth/logout`: with the refresh token, or without it the session of the access token. */
export const logOutRequestSchema = z.strictObject({ refresh: givenToken.optional() });
/** `POST /auth/reset-token`, for servers. */
export const resetTokenRequestSchema = z.strictObject({ email });
/** `POST /auth/reset`. */
export const resetRequestSchema = z.strictObject({ token: givenToken, password: newPassword });
/** `POST /auth/password`. */
export const passwordRequestSchema = z.strictObject({ current: givenPassword, password: newPassword });

const name = z.string().min(1).max(500);
const durationRule = 'seconds, or a text such as 15m, 12h or 7d; at most 365 days';
const longest = 365 * 86_400;
const units = { s: 1, m: 60, h: 3_600, d: 86_400, w: 604_800 } as const;

/** Seconds, from a number of them or from a text such as `15m`. */
const duration = z.union([z.number(), z.string()]).transform((given, context) => {
  const seconds = typeof given === 'number' ? given : secondsOf(given);
  if (Number.isInteger(seconds) && seconds >= 1 && seconds <= longest) return seconds;
  context.addIssue({ code: 'custom', message: `not a duration; allowed: ${durationRule}` });
  return z.NEVER;
});

function secondsOf(text: string): number {
  const [, count = '', unit = 's'] = /^(\d{1,9})\s*([smhdw])?$/.exec(text.trim()) ?? [];
  return count === '' ? Number.NaN : Number(count) * units[unit as keyof typeof units];
}

/**
 * `POST /auth/jwt`, restdb.io's: a token for `subject`, or with `refresh` alone that of an earlier answer anew. Without `secret`, `issuer`, `audience` and `algorithm` those of the
 * database hold. `expiresIn` is an hour unless given.
 */
export const createJwtRequestSchema = z.strictObject({
  refresh: z.string().min(1).max(20_000).optional(),
  secret: z.string().min(1).max(8_000).optional(),
  algorithm: z.enum(tokenAlgorithms).optional(),
  issuer: name.optional(),
  audience: name.optional(),
  subject: z.string().min(1).max(255).optional(),
  expiresIn: duration.optional(),
  payload: jsonObject.optional(),
});

export type SignUpRequest = z.infer<typeof signUpRequestSchema>;
export type LogInRequest = z.infer<typeof logInRequestSchema>;
export type CreateJwtRequest = z.infer<typeof createJwtRequestSchema>;

/** A signed-in user: the answer of sign-up, login and refresh. `expiresIn`: seconds that the access token is good for. */
export const userTokensSchema = z.object({
  user: z.object({ id: z.string(), email: z.string() }),
  jwt: z.string(),
  refresh: z.string(),
  expiresIn: z.number(),
});
export type UserTokensAnswer = z.infer<typeof userTokensSchema>;

/** `GET /auth/me`. `expiresAt`: when the token is over. */
export const currentUserSchema = z.object({
  user: z.object({ id: z.string(), email: z.string().nullable() }),
  roles: z.array(z.string()),
  expiresAt: z.string(),
});
/** `POST /auth/jwt`. */
export const createdJwtSchema = z.object({ jwt: z.string(), refresh: z.string() });
export type CurrentUserAnswer = z.infer<typeof currentUserSchema>;
export type CreatedJwtAnswer = z.infer<typeof createdJwtSchema>;

/** A user's account as admins see it. `roles`: those of its document. */
export const userAccountSchema = z.object({
  id: z.string(),
  email: z.string(),
  roles: z.array(z.string()),
  isActive: z.boolean(),
  sessions: z.number(),
  createdAt: z.string(),
});
/** `POST /api/databases/{db}/users`. Without a password the answer has a token with which one is set. */
export const createUserRequestSchema = z.strictObject({
  email,
  password: newPassword.optional(),
  role: z.string().regex(collectionNamePattern, `not the name of a role; allowed: ${collectionNameRule}`).optional(),
});
/** Its answer. */
export const createdUserSchema = z.object({
  id: z.string(),
  email: z.string(),
  reset: z.object({ token: z.string(), expiresAt: z.string() }).nullable(),
});
export type CreatedUserAnswer = z.infer<typeof createdUserSchema>;
/** A token with which a new password is set: shown once. */
export const resetTokenSchema = z.object({ token: z.string(), expiresAt: z.string() });
/** `PUT /api/databases/{db}/auth/secret`: what tokens are signed with by another service. RFC 7518, section 3.2: not shorter than the hash. */
export const authSecretRequestSchema = z.strictObject({ secret: z.string().min(32).max(1_024) });
/** Whether there is one, and since when; never the secret. */
export const authSecretSchema = z.object({ isSet: z.boolean(), changedAt: z.string().nullable() });

export type UserAccountAnswer = z.infer<typeof userAccountSchema>;
export type CreateUserRequest = z.infer<typeof createUserRequestSchema>;
export type ResetTokenAnswer = z.infer<typeof resetTokenSchema>;
export type AuthSecretAnswer = z.infer<typeof authSecretSchema>;
