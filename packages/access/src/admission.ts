/**
 * The verdicts on a key: what it may do in its database, by the snapshot of the catalog that is given. Pure and without I/O, so that
 * the REST routes (on each request), the hub (on each delivered event, live and replayed) and the dashboard decide alike.
 * Ask with the newest snapshot and with the key as that snapshot holds it (`database.keys.get(id)`).
 *
 * 1. A key may nothing outside its own database, and a revoked key may nothing at all.
 * 2. Realtime is off unless the database's settings open it for all (`realtime.global`) or the key has a channel of its own.
 * 3. The global flag opens every channel of the database to each of its keys; it grants nothing in `rest` or `publish`.
 */
import type { CatalogDatabase, CatalogKey } from '@tidewire/db/catalog';
import { allowsListen, allowsPublish, allowsRest, type EventType, type RestMethod } from '@tidewire/protocol/channel';

/** True when the key may use the method on the collection. */
export function mayRest(database: CatalogDatabase, key: CatalogKey, method: RestMethod, collection: string): boolean {
  return isGood(database, key) && allowsRest(key.rest, method, collection);
}

/** True when the key may publish the custom event. */
export function mayPublish(database: CatalogDatabase, key: CatalogKey, name: string): boolean {
  return isGood(database, key) && allowsPublish(key.publish, name);
}

/** True when the key may hear the event; `name` is the collection, or the custom event's name for `publish`. */
export function mayListen(database: CatalogDatabase, key: CatalogKey, type: EventType, name: string): boolean {
  return isGood(database, key) && (database.settings.realtime.global || allowsListen(key.listen, type, name));
}

/** True when the key may open a stream at all: the database's global flag is on, or the key has at least one channel. */
export function isRealtimeOn(database: CatalogDatabase, key: CatalogKey): boolean {
  return isGood(database, key) && (database.settings.realtime.global || key.listen.length > 0);
}

/**
 * True when the key may be used from this origin (the `Origin` header). Without one the caller is no page of a browser and origins do
 * not matter. A page of the server's own host (`host` is the `Host` header) is same-origin and always allowed. Else the origin must
 * stand in the key's list, exactly, or the list must hold `*`; an empty list lets no other page in.
 */
export function mayUseFromOrigin(key: CatalogKey, origin: string | undefined, host?: string): boolean {
  if (origin === undefined || isOwnOrigin(origin, host)) return true;
  return key.origins.includes('*') || key.origins.includes(origin);
}

/** True when the origin is the host that was asked. The scheme is left out: behind a proxy that ends TLS the server cannot know it. */
export function isOwnOrigin(origin: string, host: string | undefined): boolean {
  return host !== undefined && (origin === `https://${host}` || origin === `http://${host}`);
}

function isGood(database: CatalogDatabase, key: CatalogKey): boolean {
  return key.revokedAt === null && key.databaseId === database.id;
}
