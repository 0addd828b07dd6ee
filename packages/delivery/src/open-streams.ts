/** How many streams are open in this process, and for whom: the bounds that keep one client from taking all places. */

/** Most open streams of this process; 0: no bound. */
export type OpenStreamLimits = {
  perKey: number;
  /** Streams of this machine itself (a proxy that is not trusted, a program beside the server) are not counted. */
  perAddress: number;
  total: number;
};

/** Who opens a stream. `key`: the key's id, or null for an admin; `address`: of the client, grouped as `addressGroup` in `@tidewire/access/login-throttle` does. */
export type StreamOpener = { key: string | null; address: string };

/** Why there is no place. */
export type NoPlace = 'key' | 'address' | 'server';

export interface OpenStreams {
  /** Takes a place; `release` gives it back, once. */
  take(opener: StreamOpener): { status: 'taken'; release: () => void } | { status: 'full'; of: NoPlace };
  /** Places that are taken. */
  readonly count: number;
  /** Key id → places that are taken; without those that have none. It changes under the reader. */
  readonly byKey: ReadonlyMap<string, number>;
}

const loopback = /^(127\.|::1$|0:0:0:0::\/64$)/;

export function createOpenStreams({ perKey, perAddress, total }: OpenStreamLimits): OpenStreams {
  const keys = new Map<string, number>();
  const addresses = new Map<string, number>();
  let count = 0;

  function fullOf(key: string | null, address: string | null): NoPlace | null {
    if (total > 0 && count >= total) return 'server';
    if (perKey > 0 && key !== null && (keys.get(key) ?? 0) >= perKey) return 'key';
    return perAddress > 0 && address !== null && (addresses.get(address) ?? 0) >= perAddress ? 'address' : null;
  }

  return {
    take({ key, address: from }) {
      const address = loopback.test(from) ? null : from;
      const full = fullOf(key, address);
      if (full !== null) return { status: 'full', of: full };
      count += 1;
      add(keys, key, 1);
      add(addresses, address, 1);
      let isTaken = true;
      const release = () => {
        if (!isTaken) return;
        isTaken = false;
        count -= 1;
        add(keys, key, -1);
        add(addresses, address, -1);
      };
      return { status: 'taken', release };
    },
    get count() {
      return count;
    },
    byKey: keys,
  };
}

function add(counts: Map<string, number>, name: string | null, change: 1 | -1): void {
  if (name === null) return;
  const count = (counts.get(name) ?? 0) + change;
  if (count === 0) counts.delete(name);
  else counts.set(name, count);
}
