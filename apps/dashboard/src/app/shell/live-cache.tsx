import { useQueryClient } from '@tanstack/react-query';
import type { EventType } from '@tidewire/protocol/channel';
import { useRef } from 'react';
import { collectionsQuery } from '../../features/collections/queries.js';
import { databaseQuery } from '../../features/databases/queries.js';
import { useLiveEvents } from '../../lib/live-events/live-events.js';

/** How often, at most, the numbers of documents are asked for again while events stream in. */
const countsIntervalMs = 2_000;
/** What changes the list of collections, or their sizes. */
const countChanging: ReadonlySet<EventType> = new Set(['post', 'delete', 'rename', 'drop']);

/** Keeps what is cached about the database true while events arrive: the head of its log, and the sizes of its collections. */
export function LiveCache({ database }: { database: string }) {
  const queryClient = useQueryClient();
  const timer = useRef<ReturnType<typeof setTimeout> | null>(null);
  useLiveEvents((events) => {
    const head = events.at(-1)?.id ?? 0;
    queryClient.setQueryData(
      databaseQuery(database).queryKey,
      (known) => known && { ...known, head: Math.max(known.head, head) },
    );
    if (timer.current !== null || !events.some(({ type }) => countChanging.has(type))) return;
    timer.current = setTimeout(() => {
      timer.current = null;
      void queryClient.invalidateQueries({ queryKey: collectionsQuery(database).queryKey, exact: true });
    }, countsIntervalMs);
  });
  return null;
}
