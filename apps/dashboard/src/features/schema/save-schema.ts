import { useMutation, useQueryClient } from '@tanstack/react-query';
import { type SchemaCheck, schemaCheckSchema } from '@tidewire/protocol/collection-schema';
import { apiPath, callApi } from '../../lib/api.js';
import { ApiError } from '../../lib/api-error.js';

type SaveSchema = { text: string; acceptFailing: boolean };

/** Sets the schema as it is written. The server refuses it when documents fail it, unless they are accepted. */
export function useSaveSchema(database: string, collection: string) {
  const queryClient = useQueryClient();
  return useMutation({
    mutationFn: ({ text, acceptFailing }: SaveSchema) => {
      const path = apiPath('databases', database, 'collections', collection, 'schema');
      return callApi('PUT', acceptFailing ? `${path}?acceptFailing=true` : path, { schema: schemaCheckSchema, text });
    },
    // Unique fields bring indexes with them, so more than the schema is new.
    onSuccess: () => queryClient.invalidateQueries({ queryKey: ['databases', database, 'collections', collection] }),
    gcTime: 0,
  });
}

/** The documents for which a schema was refused, or null when it was refused for something else. */
export function failingOf(error: unknown): SchemaCheck | null {
  if (!(error instanceof ApiError) || error.code !== 'conflict') return null;
  const parsed = schemaCheckSchema.safeParse(error.body);
  return parsed.success ? parsed.data : null;
}
