import { useMutation } from '@tanstack/react-query';
import { schemaCheckSchema } from '@tidewire/protocol/collection-schema';
import { apiPath, callApi } from '../../lib/api.js';

/** Holds the present documents to a schema, which is sent as it is written, and changes nothing. */
export function useCheckSchema(database: string, collection: string) {
  return useMutation({
    mutationFn: (text: string) =>
      callApi('PUT', `${apiPath('databases', database, 'collections', collection, 'schema')}?dryRun=true`, {
        schema: schemaCheckSchema,
        text,
      }),
    gcTime: 0,
  });
}
