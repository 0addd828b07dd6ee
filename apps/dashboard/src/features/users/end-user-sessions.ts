import { useMutation, useQueryClient } from '@tanstack/react-query';
import { z } from 'zod';
import { apiPath, callApi } from '../../lib/api.js';
import { usersQuery } from './queries.js';

const endedSchema = z.object({ ended: z.number() });

export function useEndUserSessions(database: string) {
  const queryClient = useQueryClient();
  return useMutation({
    mutationFn: (id: string) =>
      callApi('DELETE', apiPath('databases', database, 'users', id, 'sessions'), { schema: endedSchema }),
    onSettled: () => queryClient.invalidateQueries({ queryKey: usersQuery(database).queryKey }),
  });
}
