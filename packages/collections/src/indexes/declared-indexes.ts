/** What queries on a collection may rely on, by its shape in the catalog. */
import type { Catalog, CatalogDatabase, CatalogShape } from '@tidewire/db/catalog';
import { type DeclaredIndexes, noIndexes } from '@tidewire/query/declared-index';
import { parseDefinition } from './index-definition.js';

/** Shapes stay the same objects as long as nothing of them changes. */
const known = new WeakMap<CatalogShape, DeclaredIndexes>();

/** The indexes of the collection that are ready. */
export function declaredIndexesOf(database: CatalogDatabase, collectionId: number): DeclaredIndexes {
  const shape = database.shapes.get(collectionId);
  if (shape === undefined) return noIndexes;
  const found = known.get(shape) ?? read(shape);
  known.set(shape, found);
  return found;
}

/** The same of a database by its number, as far as the catalog has it in memory. */
export function createIndexesOf(catalog: Catalog): (databaseId: number, collectionId: number) => DeclaredIndexes {
  return (databaseId, collectionId) => {
    const database = catalog.peek(databaseId);
    return database === undefined ? noIndexes : declaredIndexesOf(database, collectionId);
  };
}

function read({ indexes }: CatalogShape): DeclaredIndexes {
  const ready = indexes.filter(({ state }) => state === 'ready').map(({ definition }) => parseDefinition(definition));
  return { fields: ready.filter((index) => index !== null), hasWords: ready.includes(null) };
}
