/** What stands on every answer of the API: it is never cached, never guessed to be something else, never a page. */

/** Names and values, alternating, as `writeHead` takes them; computed once. */
export const apiHeaders: readonly string[] = [
  'Cache-Control',
  'no-store',
  'X-Content-Type-Options',
  'nosniff',
  'Referrer-Policy',
  'no-referrer',
  'Content-Security-Policy',
  "default-src 'none'; frame-ancestors 'none'",
];
