/** What the body of a PUT or PATCH does to a document, in each of the forms that bodies have. */
import type { DocumentUpdate } from '@tidewire/change-log/document-writes';
import type { JsonValue } from '@tidewire/protocol/json';
import { checkShape } from './document-path.js';
import { applyMergePatch } from './json-merge-patch.js';
import { parseJsonPatch } from './json-patch.js';
import { parentOf, withoutParent, withParent } from './parent-link.js';
import { hasOperators, parseOperators } from './update-operators.js';
import { validateChanges } from './validate-document.js';

/**
 * `merge`: the fields of the body replace those of the same name, then its update operators are applied. `replace`: the body is the new document.
 * `merge-patch` is RFC 7396, `json-patch` RFC 6902.
 */
export type ChangeForm = 'merge' | 'replace' | 'merge-patch' | 'json-patch';

/** The pure function that the lane applies. `id` is the document's; null when several are meant. Throws `validation_failed`. */
export function parseChange(form: ChangeForm, body: JsonValue, id: string | null): DocumentUpdate {
  switch (form) {
    case 'merge':
      return parseMerge(body, id);
    case 'replace': {
      const fields = validateChanges(body, id);
      return (before) => withParent(fields, parentOf(before));
    }
    case 'merge-patch': {
      const patch = validateChanges(body, id);
      return (before) => {
        const fields = applyMergePatch(before, patch);
        checkShape(fields);
        return fields as typeof before;
      };
    }
    case 'json-patch': {
      const apply = parseJsonPatch(body);
      return (before) => {
        const parent = parentOf(before);
        return parent === null ? apply(before) : withParent(apply(withoutParent(before)), parent);
      };
    }
  }
}

function parseMerge(body: JsonValue, id: string | null): DocumentUpdate {
  if (typeof body !== 'object' || body === null || Array.isArray(body) || !hasOperators(body)) {
    const changes = validateChanges(body, id);
    return (before) => ({ ...before, ...changes });
  }
  const apply = parseOperators(body);
  const plain = Object.fromEntries(Object.entries(body).filter(([name]) => !name.startsWith('$')));
  const changes = validateChanges(plain, id);
  return (before) => apply({ ...before, ...changes });
}
