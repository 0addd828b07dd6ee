import { useMutation, useQueryClient } from '@tanstack/react-query';
import { type EmptyingLine, emptyingLineSchema } from '@tidewire/protocol/admin-api';
import { apiPath, callApiForLines } from '../../lib/api.js';
import { CutOffError, readRefusal } from '../../lib/api-error.js';
import { collectionsQuery } from './queries.js';

/** Deletes all documents, or these and the collection with them. */
export type EmptyingKind = 'truncate' | 'drop';

/** Tells each line, and gives the last one when the work is done. Throws when it ended early: what was deleted until then stays deleted. */
export async function followEmptying(
  lines: AsyncIterable<EmptyingLine>,
  onProgress: (line: EmptyingLine) => void,
): Promise<EmptyingLine> {
  let last: EmptyingLine | undefined;
  for await (const line of lines) {
    last = line;
    onProgress(line);
  }
  if (last?.done === undefined) throw new CutOffError('The answer ended without its last line.');
  if (!last.done) throw readRefusal(Number(last.problem?.status ?? 500), last.problem, new Headers());
  return last;
}

/** `onProgress` hears each step while it is carried out. */
export function useEmptyCollection(
  database: string,
  collection: string,
  kind: EmptyingKind,
  onProgress: (line: EmptyingLine) => void,
) {
  const queryClient = useQueryClient();
  return useMutation({
    mutationFn: () => {
      const path = apiPath('databases', database, 'collections', collection);
      const confirm = `?confirm=${encodeURIComponent(collection)}`;
      const lines =
        kind === 'drop'
          ? callApiForLines('DELETE', path + confirm, { schema: emptyingLineSchema })
          : callApiForLines('POST', `${path}/truncate${confirm}`, { schema: emptyingLineSchema });
      return followEmptying(lines, onProgress);
    },
    onSettled: () => queryClient.invalidateQueries({ queryKey: collectionsQuery(database).queryKey }),
  });
}
