/** A collection's schema as plain JSON Schema 2020-12: what the stored documents are held to, and what is published of it. Pure. */
import type { JsonObject, JsonValue } from '@tidewire/protocol/json';
import { fieldRules } from './field-types.js';
import { type FieldSpec, type ParsedSchema, parseSchema } from './parse-schema.js';

/** Keywords that say what the server does, not what a document is. */
const ownKeywords: ReadonlySet<string> = new Set([
  'fieldType',
  'unique',
  'autoIncrement',
  'computed',
  'collection',
  'default',
]);

/** What one root field is held to; `isNullable`: or it is null. */
export type FieldSchema = { schema: JsonObject | boolean; isNullable: boolean };

/** By the names of the root's properties. A field with a type that is not required may be null, unless the schema gives its JSON type, too. */
export function fieldSchemasOf({ schema, fields }: ParsedSchema): Map<string, FieldSchema> {
  const properties = isObject(schema.properties) ? schema.properties : {};
  return new Map(fields.map((field) => [field.name, fieldSchemaOf(properties[field.name] ?? true, field)]));
}

/** The whole schema for a validator, without the keywords of ours. `properties` may be those of `fieldSchemasOf`, combined. */
export function plainSchemaOf({ schema }: ParsedSchema, fields: ReadonlyMap<string, FieldSchema>): JsonObject {
  const { $id: _id, $schema: _dialect, properties: _properties, ...rest } = schema;
  if (fields.size === 0) return rest;
  const properties = [...fields].map(([name, field]) => [name, combined(field)] as const);
  return { ...rest, properties: Object.fromEntries(properties) };
}

/** A schema as others may read it: that of documents as they are read (`document`), and of what a client may send (`fields`). */
export type PublishedSchema = { document: JsonObject; fields: JsonObject };

/** For the description of the API and for types. The schema was taken before. */
export function publishedSchemaOf(schema: JsonObject): PublishedSchema {
  const parsed = parseSchema(schema);
  const all = fieldSchemasOf(parsed);
  const isStored = ({ fieldType }: FieldSpec) => fieldType !== 'child';
  const isSent = ({ autoIncrement, computed }: FieldSpec) => autoIncrement === null && computed === null;
  return {
    document: { ...published(parsed, all, isStored, referencesRead), additionalProperties: true },
    fields: published(parsed, all, (field) => isStored(field) && isSent(field), referencesSent),
  };
}

/** A read may put more than the id into a reference. */
const referencesRead: FieldSchema = {
  schema: { type: 'array', items: { type: 'object', properties: { _id: { type: 'string' } }, required: ['_id'] } },
  isNullable: false,
};
/** An id, an object with one, or an array of these. */
const referencesSent: FieldSchema = { schema: {}, isNullable: false };

function published(
  parsed: ParsedSchema,
  all: ReadonlyMap<string, FieldSchema>,
  isIn: (field: FieldSpec) => boolean,
  references: FieldSchema,
): JsonObject {
  const { fields } = parsed;
  const isReference = ({ fieldType }: FieldSpec) => fieldType === 'relation' || fieldType === 'relations';
  const kept = fields.filter(isIn);
  const left = new Set(fields.filter((field) => !isIn(field)).map(({ name }) => name));
  const plain = plainSchemaOf(
    parsed,
    new Map(
      kept.flatMap((field) => {
        const schema = isReference(field) ? references : all.get(field.name);
        return schema === undefined ? [] : [[field.name, schema] as const];
      }),
    ),
  );
  const { unevaluatedProperties: _unevaluated, required, ...rest } = plain;
  const names = (Array.isArray(required) ? required : []).filter((name) => !left.has(String(name)));
  return withoutOwnFormats(names.length === 0 ? rest : { ...rest, required: names });
}

/** Formats that only this server knows say nothing to others. */
function withoutOwnFormats(schema: JsonObject): JsonObject {
  const text = JSON.stringify(schema, (key, value: unknown) =>
    key === 'format' && typeof value === 'string' && value.startsWith('tidewire-') ? undefined : value,
  );
  return JSON.parse(text) as JsonObject;
}

/** Most fields are a type and bounds that say nothing of null: there the type alone tells, which is a third of the work of a choice. */
function combined({ schema, isNullable }: FieldSchema): JsonObject | boolean {
  if (!isNullable) return schema;
  if (isObject(schema) && typeof schema.type === 'string' && Object.keys(schema).every((one) => boundsOfType.has(one)))
    return { ...schema, type: [schema.type, 'null'] };
  return { anyOf: [{ type: 'null' }, schema] };
}

/** Keywords that look at one type alone, or at nothing. */
const boundsOfType: ReadonlySet<string> = new Set([
  'type',
  'title',
  'description',
  'examples',
  'format',
  'minLength',
  'maxLength',
  'pattern',
  'minimum',
  'maximum',
  'exclusiveMinimum',
  'exclusiveMaximum',
  'multipleOf',
]);

function fieldSchemaOf(given: JsonValue, { fieldType, isRequired }: FieldSpec): FieldSchema {
  if (!isObject(given)) return { schema: given === true, isNullable: false };
  const rest = Object.fromEntries(Object.entries(given).filter(([keyword]) => !ownKeywords.has(keyword)));
  if (fieldType === null) return { schema: rest, isNullable: false };
  const rule = fieldRules[fieldType];
  const isNullable = rule.isNullable && !isRequired && !('type' in rest);
  return { schema: both(rule.schema, rest), isNullable };
}

function both(rule: JsonObject | boolean, rest: JsonObject): JsonObject | boolean {
  if (typeof rule === 'boolean') return rule;
  const isApart = Object.keys(rest).every((keyword) => !Object.hasOwn(rule, keyword));
  return isApart ? { ...rule, ...rest } : { allOf: [rule, rest] };
}

function isObject(value: JsonValue | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
