/** Writes documents of people's accounts through the lane, as any other document: with an event each. */
import type { JsonObject } from '@tidewire/protocol/json';
import type { Author, DocumentWrites } from './document-writes.js';

/** Creates the document under the id that is given; rejects as `DocumentWrites` does, with `conflict` when the id is taken. */
export function createUserDocuments(documents: Pick<DocumentWrites, 'createMany'>, collection: string) {
  return {
    async create(
      databaseId: number,
      { id, fields, author }: { id: string; fields: JsonObject; author: Author },
    ): Promise<void> {
      await documents.createMany({
        scope: { databaseId, author },
        collection,
        data: [{ id, body: fields, at: '/data' }],
      });
    },
  };
}
