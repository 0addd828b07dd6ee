import { useMutation, useQueryClient } from '@tanstack/react-query';
import { authSecretSchema } from '@tidewire/protocol/auth-api';
import { apiPath, callApi } from '../../lib/api.js';
import { authSecretQuery } from './queries.js';

/** Sets the secret, or removes it (null). */
export function useSetAuthSecret(database: string) {
  const queryClient = useQueryClient();
  return useMutation({
    mutationFn: (secret: string | null) => {
      const path = apiPath('databases', database, 'auth', 'secret');
      return secret === null
        ? callApi('DELETE', path, { schema: authSecretSchema })
        : callApi('PUT', path, { schema: authSecretSchema, body: { secret } });
    },
    onSuccess: (answer) => queryClient.setQueryData(authSecretQuery(database).queryKey, answer),
    gcTime: 0,
  });
}
