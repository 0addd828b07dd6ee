/** Origins of pages, as keys, settings and roles list them. */
import { z } from 'zod';

const originRule = '* or an origin, as in https://app.example';

/** A serialised http(s) origin, or `*` for any. */
export const originSchema = z
  .string()
  .max(255)
  .refine((text) => text === '*' || isOrigin(text), { message: `not an origin; allowed: ${originRule}` });

/** True for a serialised http(s) origin (RFC 6454, section 6): scheme, host, optional port, nothing behind. */
function isOrigin(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const url = new URL(text);
  return (url.protocol === 'http:' || url.protocol === 'https:') && url.origin === text;
}
