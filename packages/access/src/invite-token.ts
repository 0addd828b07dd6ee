/** The token in the link of an invitation. */
import { createHash } from 'node:crypto';
import { randomBase62 } from './base62.js';

/** 32 characters of base62, 190 random bits. Shown once. */
export function createInviteToken(): string {
  return `inv_${randomBase62(32)}`;
}

/** SHA-256 as 64 hex digits: what is stored. */
export function hashInviteToken(token: string): string {
  return createHash('sha256').update(token).digest('hex');
}
