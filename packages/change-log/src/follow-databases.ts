/**
 * Keeps a process up to date about the databases it cares for: configuration hints of the bus, and once a second one query for the
 * heads and configuration versions, which finds whatever a lost hint would have told and is the clock for revocations.
 */
import type { Catalog } from '@tidewire/db/catalog';
import type { ChangeBus } from './change-bus.js';
import type { EventLog, LogHead } from './event-log.js';

export type FollowOptions = {
  log: EventLog;
  catalog: Catalog;
  bus: ChangeBus;
  /** Databases besides those in the catalog; asked each time. */
  databases?: () => Iterable<number>;
  onHead?: (head: LogHead) => void;
  /** Told of each failed look; the next one comes all the same. */
  onError: (error: unknown) => void;
  /** Default 1,000. */
  intervalMs?: number;
};

/** Returns the way to stop. */
export function followDatabases(options: FollowOptions): () => void {
  const { log, catalog, bus, onError } = options;
  const intervalMs = options.intervalMs ?? 1_000;
  let isStopped = false;
  let timer = setTimeout(look, intervalMs);

  async function look(): Promise<void> {
    const began = performance.now();
    try {
      const ids = new Set(options.databases?.());
      for (const { id } of catalog.loaded()) ids.add(id);
      const heads = ids.size > 0 ? await log.heads([...ids]) : [];
      for (const head of heads) {
        ids.delete(head.databaseId);
        await take(head);
      }
      // Those that are left have no log any more: they were deleted.
      for (const id of ids) await catalog.refresh(id);
    } catch (error) {
      onError(error);
    }
    if (!isStopped) timer = setTimeout(look, Math.max(10, intervalMs - (performance.now() - began)));
  }

  /** The configuration first: events that are found together with it are shown to whom it lets hear them. */
  async function take(head: LogHead): Promise<void> {
    try {
      const present = catalog.peek(head.databaseId);
      if (present === undefined || present.configVersion < head.configVersion) {
        await catalog.refresh(head.databaseId, head.configVersion);
      }
    } finally {
      options.onHead?.(head);
    }
  }

  const stopHearing = bus.subscribe((hint) => {
    if (hint.kind === 'config') catalog.refresh(hint.databaseId, hint.configVersion).catch(onError);
  });

  return () => {
    isStopped = true;
    clearTimeout(timer);
    stopHearing();
  };
}
