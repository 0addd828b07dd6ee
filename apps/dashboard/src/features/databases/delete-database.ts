import { useMutation, useQueryClient } from '@tanstack/react-query';
import { databaseSchema } from '@tidewire/protocol/admin-api';
import { apiPath, callApi } from '../../lib/api.js';
import { databasesQuery } from './queries.js';

/** Begins the deletion; the list tells how far it is. */
export function useDeleteDatabase(database: string) {
  const queryClient = useQueryClient();
  return useMutation({
    mutationFn: (confirm: string) =>
      callApi('DELETE', apiPath('databases', database), { schema: databaseSchema, body: { confirm } }),
    onSuccess: () => queryClient.invalidateQueries({ queryKey: databasesQuery.queryKey, exact: true }),
  });
}
