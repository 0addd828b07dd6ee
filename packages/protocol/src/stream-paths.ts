/**
 * The paths of streams, for all who treat streams apart from other requests: the server that gives them to processes of their own, and the
 * proxies that send them to the realtime service (`deploy/nginx.conf` has `realtimePathPattern` as a location; a test compares them).
 */

/** Paths at which GET opens a stream. What else is asked for there is not for other processes than what answers everything. */
export const streamPathPattern =
  /^\/(realtime(\/events)?|channels\/[^/]+\/stream|rest\/[^/]+(\/[^/]+){0,2}\/stream|api\/.+\/stream)\/?$/;

/** Paths of the realtime service, with every method: streams, publishing, channels, tickets. */
export const realtimePathPattern =
  /^\/(realtime(\/.*)?|channels\/.*|rest\/[^/]+(\/[^/]+){0,2}\/stream|api\/.+\/stream)\/?$/;

/** Paths of streams that could also be those of a database, a collection, a role or an index called `stream`: only who accepts `text/event-stream` means the stream. */
export const ambiguousPathPattern = /^\/api\/databases(\/[^/]+\/(roles|collections(\/[^/]+\/indexes)?))?\/stream\/?$/;

/** Whether GET of this target (path and query, as in the request line) opens a stream. `accept`: the header of this name. */
export function isStreamTarget(target: string, accept = ''): boolean {
  const end = target.indexOf('?');
  const path = end < 0 ? target : target.slice(0, end);
  return streamPathPattern.test(path) && (!ambiguousPathPattern.test(path) || meansStream(accept));
}

/** Whether the header `Accept` names the type of streams. */
export function meansStream(accept: string | undefined): boolean {
  return /text\/event-stream/i.test(accept ?? '');
}
