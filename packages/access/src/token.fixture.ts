/** Tokens of an issuer, for tests: good ones, and whatever else is asked for. */
import type { KeyObject } from 'node:crypto';
import { type JWTPayload, SignJWT } from 'jose';

/** A token signed as its header says. `exp` is ten minutes from now unless given. */
export function signToken(
  payload: JWTPayload,
  { key, header = { alg: 'HS256' } }: { key: string | KeyObject; header?: { alg: string } & Record<string, unknown> },
): Promise<string> {
  const exp = Math.floor(Date.now() / 1000) + 600;
  const bytes = typeof key === 'string' ? new TextEncoder().encode(key) : key;
  return new SignJWT({ exp, ...payload }).setProtectedHeader(header).sign(bytes);
}
