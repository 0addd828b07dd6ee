/** Where to go after signing in. Only a path of this origin is taken, so that a link cannot lead signed-in people away. */

/** The path when it is one of ours, else `/`. The sign-in and setup pages are no place to return to. */
export function safeReturnPath(text: unknown): string {
  if (typeof text !== 'string' || !text.startsWith('/')) return '/';
  // The URL parser reads `//host` and `/\host` as another host, and drops tabs and line ends on the way.
  const origin = 'http://tidewire.invalid';
  if (!URL.canParse(text, origin)) return '/';
  const url = new URL(text, origin);
  if (url.origin !== origin || url.pathname === '/sign-in' || url.pathname === '/setup') return '/';
  return url.pathname + url.search + url.hash;
}
