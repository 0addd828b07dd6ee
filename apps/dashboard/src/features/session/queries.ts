import { queryOptions } from '@tanstack/react-query';
import { sessionAnswerSchema, setupAnswerSchema } from '@tidewire/protocol/admin-api';
import { apiPath, callApi } from '../../lib/api.js';

/** Who is signed in; a 401 when nobody is. */
export const sessionQuery = queryOptions({
  queryKey: ['session'],
  queryFn: ({ signal }) => callApi('GET', apiPath('session'), { schema: sessionAnswerSchema, signal }),
  staleTime: 60_000,
  meta: { isProbe: true },
});

/** Whether this server still waits for its first admin. */
export const setupQuery = queryOptions({
  queryKey: ['setup'],
  queryFn: ({ signal }) => callApi('GET', apiPath('setup'), { schema: setupAnswerSchema, signal }),
  meta: { isProbe: true },
});
