import { useMutation, useQueryClient } from '@tanstack/react-query';
import { apiPath, callApiWithoutAnswer } from '../../lib/api.js';
import { sessionsOfQuery } from './queries.js';

export function useEndSessionOf(adminId: string) {
  const queryClient = useQueryClient();
  return useMutation({
    mutationFn: (id: string) => callApiWithoutAnswer('DELETE', apiPath('admins', adminId, 'sessions', id)),
    onSettled: () => queryClient.invalidateQueries({ queryKey: sessionsOfQuery(adminId).queryKey }),
  });
}
