import { MutationCache, QueryCache, QueryClient } from '@tanstack/react-query';
import { ApiError, isSignedOut } from './api-error.js';

declare module '@tanstack/react-query' {
  interface Register {
    /** `isProbe`: a 401 is an ordinary answer here and does not lead to the sign-in page. */
    queryMeta: { isProbe?: boolean };
    mutationMeta: { isProbe?: boolean };
  }
}

/** The cache of everything the server told. `onSignedOut` is called when any request but a probe meets the end of the session. */
export function createQueryClient(onSignedOut: () => void): QueryClient {
  const handle = (error: unknown, isProbe: boolean | undefined) => {
    if (isSignedOut(error) && !isProbe) onSignedOut();
  };
  return new QueryClient({
    queryCache: new QueryCache({ onError: (error, query) => handle(error, query.meta?.isProbe) }),
    mutationCache: new MutationCache({
      onError: (error, _variables, _result, mutation) => handle(error, mutation.meta?.isProbe),
    }),
    defaultOptions: {
      queries: {
        // The server may well run on this machine: it can be reached when the browser believes to be offline.
        networkMode: 'always',
        staleTime: 5_000,
        retry: (failures, error) => failures < 2 && !(error instanceof ApiError && error.status < 500),
      },
      mutations: { networkMode: 'always' },
    },
  });
}
