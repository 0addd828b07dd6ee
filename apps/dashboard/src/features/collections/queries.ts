import { keepPreviousData, queryOptions } from '@tanstack/react-query';
import { collectionSchema, documentsAnswerSchema, listOf } from '@tidewire/protocol/admin-api';
import { apiPath, callApi } from '../../lib/api.js';
import type { Page } from '../../lib/page-search.js';

/** The collections of a database with their numbers of documents. */
export function collectionsQuery(database: string) {
  return queryOptions({
    queryKey: ['databases', database, 'collections'],
    queryFn: async ({ signal }) =>
      (
        await callApi('GET', apiPath('databases', database, 'collections'), {
          schema: listOf(collectionSchema),
          signal,
        })
      ).data,
  });
}

/** One page of a collection's documents, with their metafields. The page before stays while the next one comes. */
export function documentsQuery(database: string, collection: string, page: Page) {
  return queryOptions({
    queryKey: ['databases', database, 'collections', collection, 'documents', page],
    queryFn: ({ signal }) =>
      callApi(
        'GET',
        `${apiPath('databases', database, 'collections', collection, 'documents')}?max=${page.max}&skip=${page.skip}`,
        {
          schema: documentsAnswerSchema,
          signal,
        },
      ),
    placeholderData: keepPreviousData,
    refetchOnWindowFocus: false,
    staleTime: 0,
  });
}
