/** `tidewire types` */
import { exportDocuments } from '@tidewire/collections/export-documents';
import {
  type CollectionShape,
  createCollectionShape,
  noteDocument,
  renderTypes,
} from '@tidewire/collections/infer-types';
import { publishedSchemaOf } from '@tidewire/collections/schema/json-schema';
import { renderSchemaType } from '@tidewire/collections/schema/schema-types';
import type { JsonObject } from '@tidewire/protocol/json';
import type { Core } from '../open-core.js';
import { findDatabaseId } from '../run-command.js';

/** Documents of each collection that are looked at, the oldest first. */
const sampleSize = 1_000;

/** Returns the text of a TypeScript module: an interface for each collection, in the order of their names, and `Database`. */
export async function inferTypes(core: Core, { database: name }: { database: string }): Promise<string> {
  const database = await core.catalog.refresh(await findDatabaseId(core, name));
  const shapes: CollectionShape[] = [];
  for (const [collection, id] of [...(database?.collections ?? [])].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const schema = database?.shapes.get(id)?.schema ?? null;
    if (schema === null) shapes.push(await inferCollection(core, collection, id));
    else
      shapes.push({ ...createCollectionShape(collection), body: renderSchemaType(publishedSchemaOf(schema).document) });
  }
  const head = `// By tidewire types: from the schema of a collection, else inferred from up to ${sampleSize} of its documents. What no document showed is not here.\n\n`;
  return head + renderTypes(shapes);
}

async function inferCollection({ pool }: Core, name: string, id: number): Promise<CollectionShape> {
  const shape = createCollectionShape(name);
  const { chunks } = await exportDocuments(pool, id, { format: 'ndjson', metafields: false });
  let left = sampleSize;
  for await (const { text } of chunks) {
    for (const line of text.split('\n')) {
      if (line !== '' && left-- > 0) noteDocument(shape, JSON.parse(line) as JsonObject);
    }
    if (left <= 0) break;
  }
  return shape;
}
