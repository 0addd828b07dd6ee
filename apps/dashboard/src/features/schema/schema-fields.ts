/** What a collection's schema says of each of its fields, one row each, for people who would rather not read JSON Schema. */
import { fieldTypes } from '@tidewire/protocol/collection-schema';

export type SchemaField = {
  name: string;
  /** The field type, or what JSON Schema says of the value: `integer`, `string (email)`, `array of string`. */
  type: string;
  isRequired: boolean;
  isUnique: boolean;
  /** As JSON; null when there is none. */
  defaultText: string | null;
  /** `from 1`, `from 100, in steps of 10`; null when the field does not count. */
  autoIncrement: string | null;
  /** The expression. */
  computed: string | null;
  /** The name of the other collection, and whether the field holds it or lists its children. */
  relation: { collection: string; isChild: boolean } | null;
};

type Node = Readonly<Record<string, unknown>>;

const knownTypes: ReadonlySet<string> = new Set(fieldTypes);

/** The root's properties in their order; none when the value is no schema of an object. What is wrong in it is shown as far as it can be read. */
export function fieldsOfSchema(schema: unknown): SchemaField[] {
  if (!isNode(schema) || !isNode(schema.properties)) return [];
  const required = new Set(Array.isArray(schema.required) ? schema.required : []);
  return Object.entries(schema.properties).map(([name, property]) => fieldOf(name, property, required.has(name)));
}

function fieldOf(name: string, property: unknown, isRequired: boolean): SchemaField {
  const node = isNode(property) ? property : {};
  const { fieldType, computed, collection } = node;
  return {
    name,
    type: typeOf(property),
    isRequired,
    isUnique: node.unique === true,
    defaultText: 'default' in node ? (JSON.stringify(node.default) ?? null) : null,
    autoIncrement: countingOf(node.autoIncrement),
    computed: typeof computed === 'string' ? computed : null,
    relation: typeof collection === 'string' ? { collection, isChild: fieldType === 'child' } : null,
  };
}

function typeOf(property: unknown): string {
  if (property === false) return 'nothing';
  if (!isNode(property)) return 'any';
  const { fieldType, type, format, items, $ref } = property;
  if (typeof fieldType === 'string') return knownTypes.has(fieldType) ? fieldType : `${fieldType} (unknown)`;
  if ('enum' in property || 'const' in property) return 'one of a list';
  if (typeof $ref === 'string') return $ref.slice($ref.lastIndexOf('/') + 1);
  if (type === 'array' && isNode(items)) return `array of ${typeOf(items)}`;
  if (Array.isArray(type)) return type.map(String).join(' or ');
  if (typeof type !== 'string') return 'any';
  return typeof format === 'string' ? `${type} (${format})` : type;
}

/** Both numbers are 1 unless they are given. */
function countingOf(value: unknown): string | null {
  if (value === true) return 'from 1';
  if (!isNode(value)) return null;
  const { start = 1, step = 1 } = value;
  return step === 1 ? `from ${String(start)}` : `from ${String(start)}, in steps of ${String(step)}`;
}

function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
