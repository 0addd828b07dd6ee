import { queryOptions } from '@tanstack/react-query';
import { explanationSchema } from '@tidewire/protocol/admin-api';
import { callApi } from '../../lib/api.js';

/** Why a key is shown the event or not, by the configuration of now; nothing is asked without a key. */
export function explanationQuery(database: string, eventId: number, keyId: string) {
  const query = new URLSearchParams({ database, event: String(eventId), key: keyId });
  return queryOptions({
    queryKey: ['databases', database, 'explain', eventId, keyId],
    queryFn: ({ signal }) => callApi('GET', `/api/explain?${query}`, { schema: explanationSchema, signal }),
    enabled: keyId !== '',
    staleTime: 0,
  });
}
