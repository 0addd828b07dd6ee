/** The compiled shapes of collections, kept as long as their schemas do not change. */
import type { ShapeOf } from '@tidewire/change-log/document-shape';
import type { CatalogShape } from '@tidewire/db/catalog';
import { type CompiledShape, compileShape } from './compile-shape.js';

/** What the commit lane asks. A shape that did not change is the same object in the next snapshot of the catalog. */
export function createShapeOf(): ShapeOf {
  const known = new WeakMap<CatalogShape, CompiledShape>();
  return ({ shapes }, collectionId) => {
    const shape = shapes.get(collectionId);
    if (shape === undefined || shape.schema === null) return null;
    const present = known.get(shape);
    if (present !== undefined) return present;
    const compiled = compileShape(shape.schema);
    known.set(shape, compiled);
    return compiled;
  };
}
