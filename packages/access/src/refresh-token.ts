/** The refresh token of a user's session: `rf_<session>_<random>_<seal>`. The seal says that it was made here, so that an old one of a session is told from an invented one. */
import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import { randomBase62 } from './base62.js';

/** A refresh token's session, and the digest under which it is stored. */
export type RefreshToken = { sessionId: string; hash: string };

const pattern = /^rf_([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})_[0-9A-Za-z]{32}_([\w-]{22})$/;

/** Another one each time: 190 random bits. */
export function createRefreshToken(sessionId: string, serverSecret: string): RefreshToken & { text: string } {
  const body = `rf_${sessionId}_${randomBase62(32)}`;
  const text = `${body}_${sealOf(body, serverSecret)}`;
  return { text, sessionId, hash: digest(text) };
}

/** Null for what was never made here. Says nothing on whether it is good. */
export function readRefreshToken(text: string, serverSecret: string): RefreshToken | null {
  const [, sessionId, seal] = pattern.exec(text) ?? [];
  if (sessionId === undefined || seal === undefined) return null;
  const expected = sealOf(text.slice(0, -seal.length - 1), serverSecret);
  return timingSafeEqual(Buffer.from(seal), Buffer.from(expected)) ? { sessionId, hash: digest(text) } : null;
}

/** The SHA-256 of a random token as 64 hex digits: what is stored of it. */
export function digest(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

/** 128 bits in base64url. */
function sealOf(body: string, serverSecret: string): string {
  const mac = createHmac('sha256', serverSecret).update(`tidewire refresh token ${body}`).digest();
  return mac.subarray(0, 16).toString('base64url');
}
