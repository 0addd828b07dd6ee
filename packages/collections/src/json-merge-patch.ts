/** JSON Merge Patch (RFC 7396). Pure. */
import type { JsonObject, JsonValue } from '@tidewire/protocol/json';
import { isObject } from './document-path.js';
import { hasReferenceKey } from './document-reference.js';

/** The media type of its bodies. */
export const mergePatchType = 'application/merge-patch+json';

/**
 * The target with the patch merged in, at every depth: null removes a key, an object is merged, anything else replaces. A reference to a document is one
 * value: it replaces, and is replaced, as a whole. The inputs stay as they are.
 */
export function applyMergePatch(target: JsonValue | undefined, patch: JsonValue): JsonValue {
  if (!isObject(patch)) return patch;
  const isMerged = isObject(target) && !hasReferenceKey(target) && !hasReferenceKey(patch);
  const result: JsonObject = isMerged ? { ...target } : {};
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete result[key];
    else result[key] = applyMergePatch(Object.hasOwn(result, key) ? result[key] : undefined, value);
  }
  return result;
}
