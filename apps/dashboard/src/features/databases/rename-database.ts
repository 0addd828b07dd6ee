import { useMutation, useQueryClient } from '@tanstack/react-query';
import { databaseSchema } from '@tidewire/protocol/admin-api';
import { apiPath, callApi } from '../../lib/api.js';
import { databasesQuery } from './queries.js';

export function useRenameDatabase(database: string) {
  const queryClient = useQueryClient();
  return useMutation({
    mutationFn: (body: { name: string }) =>
      callApi('PATCH', apiPath('databases', database), { schema: databaseSchema, body }),
    onSuccess: () => queryClient.invalidateQueries({ queryKey: databasesQuery.queryKey, exact: true }),
  });
}
