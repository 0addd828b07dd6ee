import { useMutation, useQueryClient } from '@tanstack/react-query';
import { renamedCollectionSchema } from '@tidewire/protocol/admin-api';
import { apiPath, callApi } from '../../lib/api.js';
import { collectionsQuery } from './queries.js';

/** Gives the collection another name. The answer lists what goes on naming the old one. */
export function useRenameCollection(database: string, collection: string) {
  const queryClient = useQueryClient();
  return useMutation({
    mutationFn: (name: string) =>
      callApi('PATCH', apiPath('databases', database, 'collections', collection), {
        schema: renamedCollectionSchema,
        body: { name },
      }),
    onSuccess: ({ name }) => {
      // At once, so that the page of the new name does not look for a collection that nobody knows yet.
      queryClient.setQueryData(collectionsQuery(database).queryKey, (known) =>
        known?.map((entry) => (entry.name === collection ? { ...entry, name } : entry)),
      );
      queryClient.removeQueries({ queryKey: [...collectionsQuery(database).queryKey, collection] });
    },
  });
}
