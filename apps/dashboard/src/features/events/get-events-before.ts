import { adminEventSchema, listOf } from '@tidewire/protocol/admin-api';
import { apiPath, callApi } from '../../lib/api.js';

/** How many older events are asked for at a time. */
export const historyPageSize = 100;

/** The newest events below `before`, in the order of ids. Fewer than `max` means that the log begins there. */
export async function getEventsBefore(database: string, before: number, max = historyPageSize) {
  const path = `${apiPath('databases', database, 'events')}?before=${before}&max=${max}`;
  return (await callApi('GET', path, { schema: listOf(adminEventSchema) })).data;
}
