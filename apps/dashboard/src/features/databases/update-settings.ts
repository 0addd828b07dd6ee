import { useMutation, useQueryClient } from '@tanstack/react-query';
import { databaseSchema } from '@tidewire/protocol/admin-api';
import type { DatabaseSettingsPatch } from '@tidewire/protocol/settings';
import { apiPath, callApi } from '../../lib/api.js';
import { databaseQuery } from './queries.js';

/** Changes part of the settings; what is absent from the patch stays. */
export function useUpdateSettings(database: string) {
  const queryClient = useQueryClient();
  return useMutation({
    mutationFn: (body: DatabaseSettingsPatch) =>
      callApi('PATCH', apiPath('databases', database, 'settings'), { schema: databaseSchema, body }),
    onSuccess: (answer) => queryClient.setQueryData(databaseQuery(database).queryKey, answer),
  });
}
