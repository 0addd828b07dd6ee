import { useMutation, useQueryClient } from '@tanstack/react-query';
import { type CreateUserRequest, createdUserSchema } from '@tidewire/protocol/auth-api';
import { apiPath, callApi } from '../../lib/api.js';
import { usersQuery } from './queries.js';

/** Makes an account. The token for its password stands in this one answer and is not put into the cache. */
export function useCreateUser(database: string) {
  const queryClient = useQueryClient();
  return useMutation({
    mutationFn: (body: CreateUserRequest) =>
      callApi('POST', apiPath('databases', database, 'users'), { schema: createdUserSchema, body }),
    onSuccess: () => queryClient.invalidateQueries({ queryKey: usersQuery(database).queryKey }),
    gcTime: 0,
  });
}
