/** Gives a process's directory of users the events of the databases that it has users of: hints of the bus, and the log where the bus was silent. */
import type { UsersFeed } from '@tidewire/access/user-directory';
import type { ChangeBus } from '@tidewire/change-log/change-bus';
import type { EventLog, LogHead } from '@tidewire/change-log/event-log';
import { createTail, type Tail } from '@tidewire/change-log/tail';

export type UsersFeedOptions = { log: EventLog; bus: ChangeBus; onError: (error: unknown) => void };

/** To be made before the hub, so that it hears of each change before the streams do. `noteHead` is to be called with what is found once a second. */
export function createUsersFeed({
  log,
  bus,
  onError,
}: UsersFeedOptions): UsersFeed & { noteHead(head: LogHead): void; close(): void } {
  const tails = new Map<number, Tail>();
  const stopHearing = bus.subscribe((hint) => {
    if (hint.kind === 'events') tails.get(hint.databaseId)?.offer(hint.events);
    if (hint.kind === 'head') tails.get(hint.databaseId)?.noteHead(hint.head);
  });

  return {
    async follow(databaseId, { onEvents, onGap }) {
      const [head] = await log.heads([databaseId]);
      if (head === undefined) throw new Error(`database ${databaseId} has no log`);
      const tail = createTail({ databaseId, start: head.head, log, onEvents, onGap, onError });
      tails.set(databaseId, tail);
      return () => {
        tail.close();
        if (tails.get(databaseId) === tail) tails.delete(databaseId);
      };
    },
    noteHead: ({ databaseId, head }) => tails.get(databaseId)?.noteHead(head),
    close() {
      stopHearing();
      for (const tail of tails.values()) tail.close();
      tails.clear();
    },
  };
}
