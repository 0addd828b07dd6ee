import { queryOptions } from '@tanstack/react-query';
import { listOf } from '@tidewire/protocol/admin-api';
import { type IndexAnswer, indexAnswerSchema } from '@tidewire/protocol/collection-schema';
import { apiPath, callApi } from '../../lib/api.js';

/** How often the list is asked for while the server builds or drops one of its indexes: no event tells of that. */
const workingIntervalMs = 1_000;

/** The declared indexes of a collection, followed while something is under way. */
export function indexesQuery(database: string, collection: string) {
  return queryOptions({
    queryKey: ['databases', database, 'collections', collection, 'indexes'],
    queryFn: async ({ signal }) =>
      (
        await callApi('GET', apiPath('databases', database, 'collections', collection, 'indexes'), {
          schema: listOf(indexAnswerSchema),
          signal,
        })
      ).data,
    refetchInterval: (query) => (query.state.data?.some(isUnderWay) ? workingIntervalMs : false),
  });
}

/** True while the server works on the index. */
export function isUnderWay({ state }: IndexAnswer): boolean {
  return state === 'building' || state === 'dropping';
}
