/**
 * How many changes a shown page may not have. What comes while it is being loaded counts as not shown, because nobody
 * knows on which side of the server's snapshot it fell.
 */
export type ChangesSince = { loadedAt: number; changes: number; whileLoading: number };

export function noChanges(loadedAt: number): ChangesSince {
  return { loadedAt, changes: 0, whileLoading: 0 };
}

/** Takes note of changes that just came. */
export function countChanges(since: ChangesSince, news: number, isLoading: boolean): ChangesSince {
  return { ...since, changes: since.changes + news, whileLoading: since.whileLoading + (isLoading ? news : 0) };
}

/** Starts over when the page was loaded anew. */
export function followLoading(since: ChangesSince, loadedAt: number): ChangesSince {
  return since.loadedAt === loadedAt ? since : { loadedAt, changes: since.whileLoading, whileLoading: 0 };
}
