/**
 * The grammar of grants and channels, `METHOD:NAME`, and who is covered by them. The one home of "may this grant list do that".
 *
 * - `rest` grants: GET POST PUT PATCH DELETE * on a collection or `*`.
 * - `listen` grants: POST PUT PATCH DELETE PUBLISH * on a collection, a custom event name, a prefix of names (`chat.*`) or `*`.
 *   A change by PUT or by PATCH is one kind, so `PATCH:x` is read as `PUT:x`.
 * - `publish` grants: a custom event name, a prefix of names (`chat.*`) or `*`.
 *
 * Matching is exact and case-sensitive in the name; methods are upper case. A `*` stands alone or, for custom event names, at the end.
 */
import { collectionNamePattern, eventNamePattern } from './names.js';

/**
 * Types of events as they stand on the wire: `post put delete` tell of a document, `rename` and `drop` of a collection, `publish` is a custom event.
 */
export const eventTypes = ['post', 'put', 'delete', 'publish', 'rename', 'drop'] as const;
/** One of `eventTypes`. */
export type EventType = (typeof eventTypes)[number];

/** The lists of a key that hold grants. */
export type GrantKind = 'rest' | 'listen' | 'publish';

/** Methods of the collections API, as they stand in `rest` grants. */
export type RestMethod = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

const restMethods = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', '*'];
const changeMethods = ['POST', 'PUT', 'DELETE'];
const listenMethods = ['POST', 'PUT', 'PATCH', 'DELETE', 'PUBLISH', '*'];

/** What each list allows, for messages. */
export const grantRules: Record<GrantKind, string> = {
  rest: 'METHOD:COLLECTION with GET POST PUT PATCH DELETE or *, and a collection or *, as in GET:company',
  listen:
    'METHOD:COLLECTION with POST PUT PATCH DELETE PUBLISH or *, and a collection, an event name or *, as in POST:company',
  publish: 'the name of a custom event, a prefix as in chat.*, or *',
};

/** The canonical text of a grant, or null when it is not one. `PATCH:x` in `listen` becomes `PUT:x`. */
export function parseGrant(kind: GrantKind, text: string): string | null {
  if (kind === 'publish') return isEventNameOrPrefix(text) ? text : null;
  const separator = text.indexOf(':');
  if (separator < 0) return null;
  const method = text.slice(0, separator);
  const name = text.slice(separator + 1);
  if (!(kind === 'rest' ? restMethods : listenMethods).includes(method)) return null;
  const isNameGood =
    method === 'PUBLISH' ? isEventNameOrPrefix(name) : name === '*' || collectionNamePattern.test(name);
  if (!isNameGood) return null;
  return kind === 'listen' && method === 'PATCH' ? `PUT:${name}` : text;
}

function isEventNameOrPrefix(text: string): boolean {
  if (text === '*') return true;
  return text.endsWith('.*') ? eventNamePattern.test(text.slice(0, -2)) : eventNamePattern.test(text);
}

/** True when the `rest` list allows the method on the collection. */
export function allowsRest(grants: readonly string[], method: RestMethod, collection: string): boolean {
  return grants.some((grant) => covers(grant, method, collection));
}

/** True when the `publish` list allows the custom event. */
export function allowsPublish(grants: readonly string[], name: string): boolean {
  return grants.some((grant) => coversName(grant, name));
}

/**
 * True when the `listen` list has the channel of this event: `name` is the collection, or the custom event's name for `publish`. What happens to a collection as a
 * whole (`rename`, under the old name, and `drop`) is for whoever may hear any change of its documents.
 */
export function allowsListen(grants: readonly string[], type: EventType, name: string): boolean {
  if (type === 'rename' || type === 'drop')
    return changeMethods.some((method) => grants.some((grant) => covers(grant, method, name)));
  if (type !== 'publish') return grants.some((grant) => covers(grant, type.toUpperCase(), name));
  return grants.some(
    (grant) => grant === '*:*' || (grant.startsWith('PUBLISH:') && coversName(grant.slice('PUBLISH:'.length), name)),
  );
}

/** True when the `listen` list has the custom event of this name, or one below it (`chat.typing` is below `chat`). */
export function allowsChannel(grants: readonly string[], channel: string): boolean {
  return allowsListen(grants, 'publish', channel) || grants.some((grant) => grant.startsWith(`PUBLISH:${channel}.`));
}

/** True when a `rest` or `listen` grant names this very collection: when the collection gets another name, the grant does not follow. */
export function namesCollection(grant: string, collection: string): boolean {
  return !grant.startsWith('PUBLISH:') && grant.endsWith(`:${collection}`);
}

function covers(grant: string, method: string, collection: string): boolean {
  const separator = grant.indexOf(':');
  const granted = grant.slice(0, separator);
  const name = grant.slice(separator + 1);
  return (granted === '*' || granted === method) && (name === '*' || name === collection);
}

function coversName(grant: string, name: string): boolean {
  if (grant === '*' || grant === name) return true;
  return grant.endsWith('.*') && name.startsWith(grant.slice(0, -1));
}
