/** What a rule leaves of documents that are read, and of what a request may ask for. Which documents are read at all is one more term of the query (`reachOf`). */
import { askableFields, type Rule, seenBy, termOf, withFields } from '@tidewire/access/rule';
import { wholeDocument } from '@tidewire/change-log/document-text';
import type { StoredDocument } from '@tidewire/change-log/document-writes';
import type { JsonObject } from '@tidewire/protocol/json';
import { Problem } from '@tidewire/protocol/problem';
import type { Aggregation } from '@tidewire/query/aggregation';
import { everyField, fieldsOfAggregation, fieldsOfFilter, fieldsOfSort } from '@tidewire/query/asked-fields';
import type { Filter } from '@tidewire/query/ast';
import type { Projection } from '@tidewire/query/projection';
import type { Sort } from '@tidewire/query/sort';

/** A stored document, or as much of it as was read. */
type Read = Pick<StoredDocument, 'id' | 'body'> | StoredDocument;

/** Hides fields of documents that the rule lets through. `needsWhole`: it looks at the columns of the metafields. */
export type Mask = { readonly needsWhole: boolean; apply<D extends Read>(document: D): D };

/** Null when the rule hides no field. */
export function createMask(rule: Rule | null): Mask | null {
  const [first, ...others] = rule?.terms ?? [];
  if (rule === null || first === undefined || rule.terms.every(({ readFields }) => readFields === null)) return null;
  if (others.length === 0) return { needsWhole: false, apply: (document) => withBody(document, first.readFields) };
  return {
    needsWhole: true,
    apply(document) {
      const term = termOf(rule, parsedWhole(document));
      return withBody(document, term === null ? [] : term.readFields);
    },
  };
}

/** The document as the rule shows it; null when it is not there. Null for a rule: as it is. */
export function shownBy(rule: Rule | null, document: StoredDocument): StoredDocument | null {
  if (rule === null) return document;
  const term = termOf(rule, parsedWhole(document));
  return term === null ? null : withBody(document, term.readFields);
}

/** Whether the document is there for whoever reads by the rule. */
export function isThereBy(rule: Rule | null, document: StoredDocument): boolean {
  return rule === null || seenBy(rule, parsedWhole(document)) !== null;
}

/** With its metafields, as far as they were read. */
export function parsedWhole(document: Read): JsonObject {
  if ('version' in document) return JSON.parse(wholeDocument(document)) as JsonObject;
  return { _id: document.id, ...(JSON.parse(document.body) as JsonObject) };
}

/** The document without the fields that are not in the list; null for a list: all. */
export function withBody<D extends Read>(document: D, fields: readonly string[] | null): D {
  if (fields === null) return document;
  const { fields: _parsed, ...rest } = document as D & { fields?: unknown };
  return { ...rest, body: JSON.stringify(withFields(JSON.parse(document.body) as JsonObject, fields)) } as D;
}

/** Both, where there are two. */
export function bothOf(first: Filter | null, second: Filter | null): Filter | null {
  if (first === null || second === null) return first ?? second;
  return { kind: 'and', items: [first, second] };
}

/** What a request looks at, beside showing it. */
export type Asked = {
  filter?: Filter | null;
  sort?: Sort | null;
  aggregation?: Aggregation | null;
  fields?: Projection | null;
};

/** Throws `forbidden` that names each field which the rule hides of some document: by what is found, the answer would tell of it. */
export function refuseHidden(rule: Rule | null, { filter, sort, aggregation, fields }: Asked): void {
  if (rule === null) return;
  const askable = askableFields(rule);
  if (askable === null) return;
  const places = [
    { place: 'q', names: fieldsOfFilter(filter ?? null) },
    { place: 'sort', names: fieldsOfSort(sort ?? null) },
    { place: 'aggregate', names: fieldsOfAggregation(aggregation ?? null) },
    { place: 'h/$fields', names: new Set(fields?.mode === 'include' ? fields.tree.keys() : []) },
  ];
  const errors = places.flatMap(({ place, names }) =>
    [...names]
      .filter((name) => !name.startsWith('_') && !askable.has(name))
      .map((name) => ({
        field: place,
        message:
          name === everyField
            ? 'a search by words looks at every field, and some are not shown to the user'
            : `the field ${JSON.stringify(name.slice(0, 100))} is not shown to the user`,
        allowed: [...askable].join(', ') || 'fields of the server',
      })),
  );
  if (errors.length === 0) return;
  const detail = errors.map(({ field, message, allowed }) => `${field}: ${message} (allowed: ${allowed})`).join('; ');
  throw new Problem('forbidden', detail, { errors });
}
