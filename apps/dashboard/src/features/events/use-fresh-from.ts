import { useState } from 'react';

/** The first id that came after the list was opened: rows from there on light up once. Infinite until the history is there. */
export function useFreshFrom(newest: number | undefined, isReady: boolean): number {
  const [freshFrom, setFreshFrom] = useState<number | null>(null);
  if (freshFrom === null && isReady) setFreshFrom((newest ?? 0) + 1);
  return freshFrom ?? Number.POSITIVE_INFINITY;
}
