import { useMutation, useQueryClient } from '@tanstack/react-query';
import { sessionAnswerSchema } from '@tidewire/protocol/admin-api';
import type { acceptInviteRequestSchema } from '@tidewire/protocol/admins';
import type { z } from 'zod';
import { apiPath, callApi } from '../../lib/api.js';
import { sessionQuery } from './queries.js';

export function useAcceptInvite() {
  const queryClient = useQueryClient();
  return useMutation({
    mutationFn: (body: z.output<typeof acceptInviteRequestSchema>) =>
      callApi('POST', apiPath('invites', 'accept'), { schema: sessionAnswerSchema, body }),
    onSuccess: (session) => {
      queryClient.clear();
      queryClient.setQueryData(sessionQuery.queryKey, session);
    },
    meta: { isProbe: true },
  });
}
