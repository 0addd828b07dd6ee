/** TypeScript types of documents from the JSON Schema of their collection: pure and deterministic. */
import type { JsonObject, JsonValue } from '@tidewire/protocol/json';
import { propertyName } from '../infer-types.js';

/** The body of an interface. `schema` is one of `publishedSchemaOf`. What TypeScript cannot say (bounds, patterns, conditions) is left out. */
export function renderSchemaType(schema: JsonObject): string {
  const definitions = isObject(schema.$defs) ? schema.$defs : {};
  const properties = isObject(schema.properties) ? schema.properties : {};
  const withId = {
    ...schema,
    properties: { _id: { type: 'string' }, ...properties },
    required: ['_id', ...namesOf(schema)],
  };
  return renderObject(withId, definitions, '');
}

function renderType(schema: JsonValue, definitions: JsonObject, indent: string): string {
  if (schema === false) return 'never';
  if (!isObject(schema)) return 'unknown';
  const { $ref, enum: values, type } = schema;
  const parts: string[] = [];
  if (typeof $ref === 'string')
    parts.push(renderType(definitions[$ref.slice('#/$defs/'.length)] ?? true, definitions, indent));
  if ('const' in schema) parts.push(literal(schema.const ?? null));
  else if (Array.isArray(values)) parts.push(union(values.map(literal)));
  else if (type !== undefined) {
    const types = Array.isArray(type) ? type : [type];
    parts.push(union(types.map((one) => renderSingle(String(one), schema, definitions, indent))));
  } else if (isObject(schema.properties)) parts.push(renderObject(schema, definitions, indent));
  for (const key of ['anyOf', 'oneOf'] as const) {
    const choices = schema[key];
    if (Array.isArray(choices)) parts.push(union(choices.map((choice) => renderType(choice, definitions, indent))));
  }
  if (Array.isArray(schema.allOf)) for (const one of schema.allOf) parts.push(renderType(one, definitions, indent));
  return intersection(parts);
}

function renderSingle(type: string, schema: JsonObject, definitions: JsonObject, indent: string): string {
  switch (type) {
    case 'string':
    case 'boolean':
    case 'null':
      return type;
    case 'number':
    case 'integer':
      return 'number';
    case 'array': {
      const { items = true, prefixItems } = schema;
      if (Array.isArray(prefixItems)) return 'unknown[]';
      const item = renderType(items, definitions, indent);
      return /[|&]/.test(item) ? `(${item})[]` : `${item}[]`;
    }
    default:
      return renderObject(schema, definitions, indent);
  }
}

function renderObject(schema: JsonObject, definitions: JsonObject, indent: string): string {
  const inner = `${indent}  `;
  const required = new Set(namesOf(schema));
  const properties = Object.entries(isObject(schema.properties) ? schema.properties : {});
  const lines = properties.map(([name, property]) => {
    const mark = required.has(name) ? '' : '?';
    return `${inner}${propertyName(name)}${mark}: ${renderType(property, definitions, inner)};\n`;
  });
  if (schema.additionalProperties !== false) lines.push(`${inner}[field: string]: unknown;\n`);
  return lines.length === 0 ? '{ [field: string]: never }' : `{\n${lines.join('')}${indent}}`;
}

function literal(value: JsonValue): string {
  return typeof value === 'object' && value !== null ? 'unknown' : JSON.stringify(value);
}

function union(types: readonly string[]): string {
  const distinct = new Set(types);
  if (distinct.has('unknown')) return 'unknown';
  const last = distinct.delete('null') ? ['null'] : [];
  return [...distinct, ...last].join(' | ');
}

function intersection(types: readonly string[]): string {
  const distinct = [...new Set(types)].filter((type) => type !== 'unknown');
  if (distinct.length <= 1) return distinct[0] ?? 'unknown';
  return distinct.map((type) => (type.includes(' | ') ? `(${type})` : type)).join(' & ');
}

function namesOf({ required }: JsonObject): string[] {
  return (Array.isArray(required) ? required : []).map(String);
}

function isObject(value: JsonValue | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
