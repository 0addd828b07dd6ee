import { useQuery } from '@tanstack/react-query';
import { collectionsQuery } from './queries.js';

/** True when the list of collections is known and this one is not in it. */
export function useIsMissing(database: string, collection: string): boolean {
  const { data } = useQuery(collectionsQuery(database));
  return data !== undefined && !data.some(({ name }) => name === collection);
}
