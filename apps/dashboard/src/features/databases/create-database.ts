import { useMutation, useQueryClient } from '@tanstack/react-query';
import { databaseSchema } from '@tidewire/protocol/admin-api';
import { apiPath, callApi } from '../../lib/api.js';
import { databasesQuery } from './queries.js';

export function useCreateDatabase() {
  const queryClient = useQueryClient();
  return useMutation({
    mutationFn: (body: { name: string }) => callApi('POST', apiPath('databases'), { schema: databaseSchema, body }),
    onSuccess: () => queryClient.invalidateQueries({ queryKey: databasesQuery.queryKey, exact: true }),
  });
}
