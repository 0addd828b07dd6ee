import { infiniteQueryOptions } from '@tanstack/react-query';
import { auditPageSchema } from '@tidewire/protocol/audit';
import { apiPath, callApi } from '../../lib/api.js';

/** Empty ones are not asked for. */
export type AuditFilter = { database: string; actor: string; action: string };

/** The query part of the paths of the log, `?` included; '' without one. */
export function auditSearch(filter: AuditFilter, before: number | null = null): string {
  const given = Object.entries(filter).filter(([, value]) => value !== '');
  const search = new URLSearchParams(given);
  if (before !== null) search.set('before', String(before));
  return search.size === 0 ? '' : `?${search}`;
}

/** The audit log, newest first, page by page. */
export function auditQuery(filter: AuditFilter) {
  return infiniteQueryOptions({
    queryKey: ['audit', filter],
    queryFn: ({ signal, pageParam }) =>
      callApi('GET', apiPath('audit') + auditSearch(filter, pageParam), { schema: auditPageSchema, signal }),
    initialPageParam: null as number | null,
    getNextPageParam: ({ next }) => next,
  });
}
