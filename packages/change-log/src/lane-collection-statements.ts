/** The commit lane's statements on collections. All run in sessions with `tidewire.lane = on`, under the head's lock. */
import type { SqlClient } from '@tidewire/db/sql-pool';
import type { CollectionStep } from './lane-plan.js';

/** By the primary key. */
const renameCollection = {
  name: 'lane-rename-collection',
  text: 'UPDATE collections SET name = $2 WHERE id = $1',
};
/** By the primary key; what belongs to the collection besides its documents goes with it (foreign keys). */
const dropCollection = {
  name: 'lane-drop-collection',
  text: 'DELETE FROM collections WHERE id = $1',
};

/** Does to the row of the collection what the step says; its events and documents are written by the plan. */
export async function changeCollection(client: SqlClient, collectionId: number, step: CollectionStep): Promise<void> {
  if (step.kind === 'rename') await client.query({ ...renameCollection, values: [collectionId, step.name] });
  else await client.query({ ...dropCollection, values: [collectionId] });
}
