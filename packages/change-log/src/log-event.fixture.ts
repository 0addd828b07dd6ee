/** Events for tests that do not look into them. */
import type { LogEvent } from './log-event.js';

/** A custom event of this number; `data` is JSON. */
export function publishEvent(id: number, data = '1'): LogEvent {
  return {
    id,
    type: 'publish',
    collectionId: null,
    collection: null,
    documentId: null,
    before: null,
    after: null,
    name: 'x',
    data,
    actor: 'system',
    operationId: '00000000-0000-0000-0000-000000000000',
    at: '2026-01-01T00:00:00.000Z',
  };
}
