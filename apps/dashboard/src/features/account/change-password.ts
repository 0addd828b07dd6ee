import { useMutation, useQueryClient } from '@tanstack/react-query';
import type { changePasswordRequestSchema } from '@tidewire/protocol/admins';
import type { z } from 'zod';
import { apiPath, callApiWithoutAnswer } from '../../lib/api.js';
import { ownSessionsQuery } from './queries.js';

/** Ends all other sessions. */
export function useChangePassword() {
  const queryClient = useQueryClient();
  return useMutation({
    mutationFn: (body: z.output<typeof changePasswordRequestSchema>) =>
      callApiWithoutAnswer('POST', apiPath('admin', 'password'), { body }),
    onSuccess: () => queryClient.invalidateQueries({ queryKey: ownSessionsQuery.queryKey }),
    gcTime: 0,
  });
}
