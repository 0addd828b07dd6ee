/**
 * A map that remembers what was used lately and forgets the rest. Two generations: what is used moves to the young one; when that is full,
 * the old one is let go. A hit in the young generation costs one look-up and moves nothing.
 */
export interface RecentMap<K, V> {
  get(key: K): V | undefined;
  set(key: K, value: V): void;
  delete(key: K): void;
}

/** At least the last `size` entries used are kept, at most twice as many. */
export function createRecentMap<K, V>(size: number): RecentMap<K, V> {
  let young = new Map<K, V>();
  let old = new Map<K, V>();

  function set(key: K, value: V): void {
    if (young.size >= size && !young.has(key)) {
      old = young;
      young = new Map();
    }
    young.set(key, value);
  }

  return {
    get(key) {
      const present = young.get(key);
      if (present !== undefined) return present;
      const aged = old.get(key);
      if (aged !== undefined) set(key, aged);
      return aged;
    },
    set,
    delete(key) {
      young.delete(key);
      old.delete(key);
    },
  };
}
