/** A JSON Web Token before anything of it is believed: its parts, and whether it has a form that is taken at all. */
import type { JsonObject, JsonValue } from '@tidewire/protocol/json';

/** What stands in the token. Nothing of it is verified. */
export type TokenShape = {
  algorithm: string;
  /** Names the key among those of the issuer; nothing else is ever made of it. */
  keyId: string | null;
  issuer: string;
  audiences: readonly string[];
};

/** Longest token that is looked at. */
export const tokenLimitChars = 8_192;
const compactPattern = /^[A-Za-z0-9_-]{1,4096}\.[A-Za-z0-9_-]{1,8000}\.[A-Za-z0-9_-]{1,1400}$/;
const knownTypes = /^(?:application\/)?(?:at\+)?jwt$/i;

/**
 * Null for what is no signed token in the compact form (RFC 7515, section 3.1), asks for extensions (`crit`, `b64`: we have none), or does not say who issued it for whom. What a
 * header says of keys (`jwk`, `jku`, `x5c`, `x5u`) is passed over.
 */
export function readTokenShape(token: string): TokenShape | null {
  if (token.length > tokenLimitChars || !compactPattern.test(token)) return null;
  const [first = '', second = '', signature = ''] = token.split('.');
  if (!isCanonical(signature)) return null;
  const header = decodePart(first);
  const payload = decodePart(second);
  if (header === null || payload === null) return null;
  if (Object.hasOwn(header, 'crit') || Object.hasOwn(header, 'b64')) return null;
  const { alg, kid, typ } = header;
  if (typeof alg !== 'string' || !isAbsentOrText(kid) || !isAbsentOrText(typ)) return null;
  if (typ !== undefined && !knownTypes.test(typ)) return null;
  const audiences = textsOf(payload.aud);
  if (typeof payload.iss !== 'string' || audiences === null) return null;
  return { algorithm: alg, keyId: kid ?? null, issuer: payload.iss, audiences };
}

/** Whether the bytes stand there in their one form of base64url, so that no two texts are one token. */
function isCanonical(text: string): boolean {
  return Buffer.from(text, 'base64url').toString('base64url') === text;
}

function decodePart(text: string): JsonObject | null {
  if (!isCanonical(text)) return null;
  try {
    const value = JSON.parse(Buffer.from(text, 'base64url').toString('utf8')) as JsonValue;
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : null;
  } catch {
    return null;
  }
}

function textsOf(value: JsonValue | undefined): readonly string[] | null {
  if (typeof value === 'string') return [value];
  if (!Array.isArray(value)) return null;
  const texts = value.filter((item) => typeof item === 'string');
  return texts.length === value.length ? texts : null;
}

function isAbsentOrText(value: JsonValue | undefined): value is string | undefined {
  return value === undefined || (typeof value === 'string' && value.length <= 500);
}
