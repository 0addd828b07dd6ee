/** What a verified token says of its user. */
import type { JsonObject, JsonValue } from '@tidewire/protocol/json';

/** `own`: signed by us. */
export type UserClaims = {
  readonly isOwn: boolean;
  readonly subject: string;
  /** In lower case; null when the token has none, or says that it is not verified. */
  readonly email: string | null;
  /** The session of an own user: without its row the token is worth nothing. Null for others. */
  readonly sessionId: string | null;
  /** Milliseconds since the epoch, the tolerance for clocks included. */
  readonly expiresAt: number;
  readonly claims: JsonObject;
};

const uuidPattern = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
/** The year 9999: what lies behind is no date. */
const lastSecond = 253_402_300_799;
// biome-ignore lint/suspicious/noControlCharactersInRegex: those are what must not stand in a subject, which is written into events and logs.
const subjectPattern = /^[^\u0000-\u001f\u007f-\u009f\u2028\u2029\ud800-\udfff]{1,255}$/u;

/**
 * The claims of a payload whose signature, issuer, audience and times were checked. Null when it has no end, no subject, or one that cannot be written down. `toleranceSeconds`: how far
 * the issuer's clock may be off.
 */
export function readUserClaims(
  payload: JsonObject,
  { isOwn, toleranceSeconds }: { isOwn: boolean; toleranceSeconds: number },
): UserClaims | null {
  const { exp, sub, sid } = payload;
  if (typeof exp !== 'number' || !(exp > 0 && exp <= lastSecond)) return null;
  if (typeof sub !== 'string' || !subjectPattern.test(sub)) return null;
  const sessionId = isOwn && typeof sid === 'string' ? sid : null;
  if (sessionId !== null && !uuidPattern.test(sessionId)) return null;
  return {
    isOwn,
    subject: sub,
    email: emailOf(payload),
    sessionId,
    expiresAt: (exp + toleranceSeconds) * 1_000,
    claims: payload,
  };
}

function emailOf({ email, email_verified: isVerified }: JsonObject): string | null {
  if (typeof email !== 'string' || email === '' || email.length > 254 || !subjectPattern.test(email)) return null;
  return isVerified === false || isVerified === 'false' ? null : email.toLowerCase();
}

/** The value at a claim's name, or at a path with dots; undefined when there is none. */
export function claimAt(claims: JsonObject, path: string): JsonValue | undefined {
  if (Object.hasOwn(claims, path)) return claims[path];
  let value: JsonValue | undefined = claims;
  for (const name of path.split('.')) {
    if (typeof value !== 'object' || value === null || Array.isArray(value) || !Object.hasOwn(value, name))
      return undefined;
    value = value[name];
  }
  return value;
}

/** Names of roles from what stands in a claim or a field: one text, or a list of them. */
export function roleNames(value: JsonValue | undefined): readonly string[] {
  if (typeof value === 'string') return value === '' ? [] : [value];
  return Array.isArray(value) ? value.filter((item) => typeof item === 'string') : [];
}
