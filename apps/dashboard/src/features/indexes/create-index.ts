import { useMutation, useQueryClient } from '@tanstack/react-query';
import { type createIndexRequestSchema, indexAnswerSchema } from '@tidewire/protocol/collection-schema';
import type { z } from 'zod';
import { apiPath, callApi } from '../../lib/api.js';
import { indexesQuery } from './queries.js';

export type CreateIndexBody = z.input<typeof createIndexRequestSchema>;

/** Declares an index, which the server builds next. */
export function useCreateIndex(database: string, collection: string) {
  const queryClient = useQueryClient();
  return useMutation({
    mutationFn: (body: CreateIndexBody) =>
      callApi('POST', apiPath('databases', database, 'collections', collection, 'indexes'), {
        schema: indexAnswerSchema,
        body,
      }),
    onSuccess: () => queryClient.invalidateQueries({ queryKey: indexesQuery(database, collection).queryKey }),
  });
}
