/** The script of `GET /rest/_jsapi.js`: the browser's file of this package, made for the collections of a key. */
import { readFileSync } from 'node:fs';

/** What a key reaches. `isOpen`: every name, also of collections that are not there yet. */
export type ScriptReach = { collections: readonly string[]; isOpen: boolean };

/** A collection, and the property of `db` that it is: restdb.io leaves out `_` and `-`, so `system_jobs` is `db.systemjobs`. */
export type ScriptCollection = { name: string; property: string };

/** The argument at the end of the browser's file, which stands for any reach. */
const placeholder = '({ collections: [], isOpen: true });';
const [start, end] = splitAtPlaceholder(readFileSync(new URL('../public/restdb-client.js', import.meta.url), 'utf8'));

/** The whole script. It defines the global `restdb`, loads nothing, and needs a browser with `fetch` and `EventSource`. */
export function writeRestdbScript({ collections, isOpen }: ScriptReach): string {
  return `${start}(${JSON.stringify({ collections: propertiesOf(collections), isOpen })});${end}`;
}

/**
 * In the order that is given. When two names come down to one property, it is that of the exact name if there is one, else of the first; the other
 * is reached by `db.collection(name)` alone and left out here.
 */
export function propertiesOf(collections: readonly string[]): ScriptCollection[] {
  const byProperty = new Map<string, string>();
  for (const name of collections) {
    const property = name.replace(/[_-]/g, '');
    if (!byProperty.has(property) || property === name) byProperty.set(property, name);
  }
  return [...byProperty].map(([property, name]) => ({ name, property }));
}

function splitAtPlaceholder(text: string): [string, string] {
  const at = text.lastIndexOf(placeholder);
  if (at < 0) throw new Error('restdb-client.js does not end with its placeholder.');
  return [text.slice(0, at), text.slice(at + placeholder.length)];
}
