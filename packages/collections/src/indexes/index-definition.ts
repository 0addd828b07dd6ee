/** What an index may be declared on, and how its definition is read. */
import type { IndexDefinition } from '@tidewire/protocol/collection-schema';
import type { JsonObject } from '@tidewire/protocol/json';
import { invalid } from '@tidewire/protocol/problem';
import { type Filter, isMetafield } from '@tidewire/query/ast';
import { canonicalText } from '@tidewire/query/canonical-text';
import { canDeclare, textLengthOf } from '@tidewire/query/index-expression';
import { parseFilter } from '@tidewire/query/parse-filter';

/** An index on fields, ready to be written as SQL. */
export type FieldsIndex = {
  readonly paths: readonly string[];
  readonly textLength: number;
  readonly isUnique: boolean;
  readonly where: Filter | null;
};

/** The index on fields that the definition asks for, or null for one of words. Throws `validation_failed` that names what cannot be. */
export function parseDefinition(definition: IndexDefinition): FieldsIndex | null {
  if ('text' in definition) return null;
  const { fields, unique, where } = definition;
  fields.forEach((field, at) => {
    if (!canDeclare(field)) throw invalid(`/fields/${at}`, 'this field cannot have an index', pathRule);
    if (fields.indexOf(field) < at) throw invalid(`/fields/${at}`, 'this field is there twice', 'each field once');
  });
  return { paths: fields, textLength: textLengthOf(fields.length), isUnique: unique, where: parseWhere(where) };
}

const pathRule =
  'at most 8 names with dots between them, each of A-Z a-z 0-9 _ - and no digit first; none of the fields of the server';

/** `{}` is no condition. */
function parseWhere(where: JsonObject | null): Filter | null {
  if (where === null || Object.keys(where).length === 0) return null;
  const [parsed, later] = [0, 4e12].map((time) => parseFilter(where, { now: new Date(time) }));
  if (parsed === undefined || later === undefined || !parsed.ok || !later.ok) {
    const [error] = parsed?.ok === false ? parsed.errors : [];
    throw invalid(`/where${error?.field ?? ''}`, error?.message ?? 'not a query', error?.allowed?.join(', '));
  }
  if (canonicalText(parsed.filter) !== canonicalText(later.filter))
    throw invalid('/where', 'what an index covers cannot depend on the time', 'dates that are written out');
  if (!isOnFields(parsed.filter))
    throw invalid('/where', 'the condition of an index is on own fields', 'no $text, none of the fields of the server');
  return parsed.filter;
}

function isOnFields(filter: Filter): boolean {
  switch (filter.kind) {
    case 'and':
    case 'or':
      return filter.items.every(isOnFields);
    case 'not':
      return isOnFields(filter.item);
    case 'field':
      return !isMetafield(filter.path[0]);
    case 'text':
      return false;
  }
}

/** A name made of what the index covers. */
export function defaultIndexName(definition: IndexDefinition): string {
  if ('text' in definition) return 'text';
  const { fields, unique, where } = definition;
  const name = [...fields, ...(unique ? ['unique'] : []), ...(where === null ? [] : ['where'])].join('_');
  return name.slice(0, 63);
}
