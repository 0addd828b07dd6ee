import { useMutation, useQueryClient } from '@tanstack/react-query';
import { sessionAnswerSchema, type setupRequestSchema } from '@tidewire/protocol/admin-api';
import type { z } from 'zod';
import { apiPath, callApi } from '../../lib/api.js';
import { sessionQuery, setupQuery } from './queries.js';

export function useCreateFirstAdmin() {
  const queryClient = useQueryClient();
  return useMutation({
    mutationFn: (body: z.output<typeof setupRequestSchema>) =>
      callApi('POST', apiPath('setup'), { schema: sessionAnswerSchema, body }),
    onSuccess: (session) => {
      queryClient.setQueryData(setupQuery.queryKey, { needed: false });
      queryClient.setQueryData(sessionQuery.queryKey, session);
    },
    meta: { isProbe: true },
  });
}
