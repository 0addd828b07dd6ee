/** What the field types of restdb.io stand for: a JSON Schema of the stored value, and how clients may write it. */
import type { FieldType } from '@tidewire/protocol/collection-schema';
import type { JsonObject, JsonValue } from '@tidewire/protocol/json';

/** Of one field type. */
export type FieldRule = {
  /** JSON Schema of the value as it is stored. */
  schema: JsonObject | boolean;
  /** Whether a field that is not required may be `null`, as forms send it for an empty field. */
  isNullable: boolean;
  /** Whether two documents can be told apart by it. */
  canBeUnique: boolean;
  /** What a client sent, in the form in which it is stored; what cannot be brought to it stays as it is, for the schema to refuse. */
  normalize?: (value: JsonValue) => JsonValue;
};

const id: JsonObject = { type: 'string', format: 'tidewire-id' };
const references: JsonObject = {
  type: 'array',
  maxItems: 10_000,
  items: { type: 'object', properties: { _id: id }, required: ['_id'], additionalProperties: false },
};
const fileIds: JsonObject = { type: 'array', maxItems: 10_000, items: id };

const text = { schema: { type: 'string' }, isNullable: true, canBeUnique: true };
const number = { schema: { type: 'number' }, isNullable: true, canBeUnique: true };
const list = { isNullable: false, canBeUnique: false };
const relations = { ...list, schema: references, normalize: toReferences };
const relation = { ...relations, schema: { ...references, maxItems: 1 } };
const files = { ...list, schema: fileIds, normalize: toIds };
const file = { ...files, schema: { ...fileIds, maxItems: 1 } };

/** Every field type; its value beside it in the schema has to hold as well. */
export const fieldRules: Readonly<Record<FieldType, FieldRule>> = {
  text,
  richtext: { ...text, canBeUnique: false },
  email: { ...text, schema: { type: 'string', format: 'email' } },
  number: { ...number, schema: { type: 'integer' } },
  float: number,
  money: number,
  bool: { ...text, schema: { type: 'boolean' } },
  date: { ...text, schema: { type: 'string', format: 'tidewire-date' } },
  datetime: { ...text, schema: { type: 'string', format: 'date-time' } },
  time: { ...text, schema: { type: 'string', format: 'tidewire-time' } },
  option: { ...text, schema: {} },
  json: { schema: {}, isNullable: true, canBeUnique: false },
  image: file,
  images: files,
  file,
  files,
  relation,
  relations,
  child: { ...list, schema: false },
};

/** An id, a document, or an array of these: as `[{"_id":…}]`. `null` is none. */
function toReferences(value: JsonValue): JsonValue {
  return listed(value).map((item) => {
    if (typeof item === 'string') return { _id: item };
    return isDocument(item) && Object.keys(item).length > 1 ? { _id: item._id ?? null } : item;
  });
}

/** The same as `["<id>"]`. */
function toIds(value: JsonValue): JsonValue {
  return listed(value).map((item) => (isDocument(item) ? (item._id ?? null) : item));
}

function listed(value: JsonValue): JsonValue[] {
  if (value === null) return [];
  return Array.isArray(value) ? value : [value];
}

function isDocument(value: JsonValue): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && Object.hasOwn(value, '_id');
}
