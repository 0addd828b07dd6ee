import { useMutation, useQueryClient } from '@tanstack/react-query';
import { sessionAnswerSchema, type signInRequestSchema } from '@tidewire/protocol/admin-api';
import type { z } from 'zod';
import { apiPath, callApi } from '../../lib/api.js';
import { sessionQuery } from './queries.js';

export function useSignIn() {
  const queryClient = useQueryClient();
  return useMutation({
    mutationFn: (body: z.output<typeof signInRequestSchema>) =>
      callApi('POST', apiPath('session'), { schema: sessionAnswerSchema, body }),
    onSuccess: (session) => queryClient.setQueryData(sessionQuery.queryKey, session),
    meta: { isProbe: true },
  });
}
