/** JSON Merge Patch (RFC 7396). Pure. */
import type { JsonObject, JsonValue } from '@tidewire/protocol/json';
import { isObject } from './document-path.js';

/** The media type of its bodies. */
export const mergePatchType = 'application/merge-patch+json';

/** The target with the patch merged in, at every depth: null removes a key, an object is merged, anything else replaces. The inputs stay as they are. */
export function applyMergePatch(target: JsonValue | undefined, patch: JsonValue): JsonValue {
  if (!isObject(patch)) return patch;
  const result: JsonObject = isObject(target) ? { ...target } : {};
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete result[key];
    else result[key] = applyMergePatch(Object.hasOwn(result, key) ? result[key] : undefined, value);
  }
  return result;
}
