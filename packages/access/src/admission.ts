/**
 * The verdicts on grants: what their holder (a key, or a user by its roles) may do in its database, by the snapshot of the catalog that is given. Pure and without I/O, so
 * that the REST routes (on each request), the hub (on each delivered event, live and replayed) and the dashboard decide alike.
 * Ask with the newest snapshot and with the rights by that snapshot (`standingOf`).
 *
 * 1. Nobody may anything outside the own database, and who is revoked, switched off or expired may nothing at all.
 * 2. Realtime is off unless the database's settings open it for all (`realtime.global`) or the holder has a channel of its own.
 * 3. The global flag opens every channel of the database to each holder; it grants nothing in `rest` or `publish`, and rules still hold.
 */
import type { CatalogDatabase } from '@tidewire/db/catalog';
import { allowsListen, allowsPublish, allowsRest, type EventType, type RestMethod } from '@tidewire/protocol/channel';
import { endOf, type Rights } from './rights.js';

/** True when the holder may use the method on the collection. */
export function mayRest(database: CatalogDatabase, rights: Rights, method: RestMethod, collection: string): boolean {
  return isGood(database, rights) && allowsRest(rights.rest, method, collection);
}

/** True when the holder may publish the custom event. */
export function mayPublish(database: CatalogDatabase, rights: Rights, name: string): boolean {
  return isGood(database, rights) && allowsPublish(rights.publish, name);
}

/** Why an event is not heard: its holder has ended or belongs elsewhere, realtime is off for it, or it lacks the channel. */
export type ListenRefusal = 'ended' | 'realtime_off' | 'no_grant';

/** Null when the holder may hear the event; `name` is the collection, or the custom event's name for `publish`. */
export function listenRefusal(
  database: CatalogDatabase,
  rights: Rights,
  type: EventType,
  name: string,
): ListenRefusal | null {
  const refusal = realtimeRefusal(database, rights);
  if (refusal !== null || database.settings.realtime.global) return refusal;
  return allowsListen(rights.listen, type, name) ? null : 'no_grant';
}

/** Null when the holder may open a stream at all: the database's global flag is on, or the holder has at least one channel. */
export function realtimeRefusal(database: CatalogDatabase, rights: Rights): ListenRefusal | null {
  if (!isGood(database, rights)) return 'ended';
  return database.settings.realtime.global || rights.listen.length > 0 ? null : 'realtime_off';
}

/** True when the holder may hear the event, as `listenRefusal` says it. */
export function mayListen(database: CatalogDatabase, rights: Rights, type: EventType, name: string): boolean {
  return listenRefusal(database, rights, type, name) === null;
}

/** True when the holder may open a stream at all, as `realtimeRefusal` says it. */
export function isRealtimeOn(database: CatalogDatabase, rights: Rights): boolean {
  return realtimeRefusal(database, rights) === null;
}

/**
 * True when the holder may be used from this origin (the `Origin` header). Without one the caller is no page of a browser and origins do
 * not matter. A page of the server's own host (`host` is the `Host` header) is same-origin and always allowed. Else the origin must
 * stand in the holder's list, exactly, or the list must hold `*`; an empty list lets no other page in.
 */
export function mayUseFromOrigin(rights: Rights, origin: string | undefined, host?: string): boolean {
  if (origin === undefined || isOwnOrigin(origin, host)) return true;
  return rights.origins.includes('*') || rights.origins.includes(origin);
}

/** True when the origin is the host that was asked. The scheme is left out: behind a proxy that ends TLS the server cannot know it. */
export function isOwnOrigin(origin: string, host: string | undefined): boolean {
  return host !== undefined && (origin === `https://${host}` || origin === `http://${host}`);
}

function isGood(database: CatalogDatabase, rights: Rights): boolean {
  return rights.databaseId === database.id && endOf(rights, Date.now()) === null;
}
