/** TypeScript interfaces for collections, inferred from documents: pure and deterministic. */
import type { JsonObject, JsonValue } from '@tidewire/protocol/json';

/** What was seen at one place. `fields` is null until an object was seen there, `items` until an array was. */
type Shape = {
  scalars: Set<'string' | 'number' | 'boolean' | 'null'>;
  fields: Map<string, { shape: Shape; seen: number }> | null;
  objects: number;
  items: Shape | null;
};

/** An object with more different fields is a map from names to values. */
const fieldsLimit = 200;

/** What the documents of one collection look like; feed it documents, then render it with others. `body`: the type is known, and documents do not matter. */
export type CollectionShape = { name: string; root: Shape; body?: string };

/** A collection of which nothing was seen yet. */
export function createCollectionShape(name: string): CollectionShape {
  return { name, root: emptyShape() };
}

/** Takes the fields of one document into account. */
export function noteDocument({ root }: CollectionShape, document: JsonObject): void {
  note(root, document);
}

/**
 * The text of a TypeScript module: an interface for each collection and `Database`, which has them by their names. A field has the union of the types that
 * were seen, and is optional when it was missing somewhere. The same shapes in the same order are the same text.
 */
export function renderTypes(collections: readonly CollectionShape[]): string {
  const taken = new Set(['Database']);
  const named = collections.map((shape) => ({ ...shape, type: uniqueName(interfaceName(shape.name), taken) }));
  const interfaces = named.map(({ name, root, type, body: known }) => {
    const seen = root.objects === 0 ? '{\n  _id: string;\n  [field: string]: unknown;\n}' : renderObject(root, '');
    const body = known ?? seen;
    return `/** A document of the collection ${name}. */\nexport interface ${type} ${body}\n`;
  });
  const members = named.map(({ name, type }) => `  ${propertyName(name)}: ${type};\n`);
  const database = `/** The collections of the database. */\nexport interface Database {\n${members.join('')}}\n`;
  return [...interfaces, database].join('\n');
}

function emptyShape(): Shape {
  return { scalars: new Set(), fields: null, objects: 0, items: null };
}

function note(shape: Shape, value: JsonValue): void {
  if (value === null) shape.scalars.add('null');
  else if (Array.isArray(value)) {
    shape.items ??= emptyShape();
    for (const item of value) note(shape.items, item);
  } else if (typeof value === 'object') noteObject(shape, value);
  else if (typeof value === 'string') shape.scalars.add('string');
  else shape.scalars.add(typeof value === 'number' ? 'number' : 'boolean');
}

/** Beyond the limit new names share the shape of one: what they are called does not matter any more, and memory stays bounded. */
function noteObject(shape: Shape, object: JsonObject): void {
  shape.objects += 1;
  shape.fields ??= new Map();
  for (const [name, value] of Object.entries(object)) {
    const key = shape.fields.has(name) || shape.fields.size <= fieldsLimit ? name : '';
    const field = shape.fields.get(key) ?? { shape: emptyShape(), seen: 0 };
    field.seen += 1;
    note(field.shape, value);
    shape.fields.set(key, field);
  }
}

function renderUnion(shape: Shape, indent: string): string {
  const types: string[] = [...shape.scalars].filter((type) => type !== 'null').sort();
  if (shape.fields !== null) types.push(renderObject(shape, indent));
  if (shape.items !== null) types.push(renderArray(shape.items, indent));
  if (shape.scalars.has('null')) types.push('null');
  return types.length === 0 ? 'unknown' : types.join(' | ');
}

function renderArray(items: Shape, indent: string): string {
  const type = renderUnion(items, indent);
  return type.includes(' | ') ? `(${type})[]` : `${type}[]`;
}

function renderObject({ fields, objects }: Shape, indent: string): string {
  const entries = [...(fields ?? [])];
  if (entries.length === 0) return '{ [key: string]: never }';
  const inner = `${indent}  `;
  if (entries.length > fieldsLimit) {
    const types = new Set(entries.map(([, { shape }]) => renderUnion(shape, inner)));
    return `{\n${inner}[key: string]: ${[...types].sort().join(' | ')};\n${indent}}`;
  }
  const lines = entries.map(([name, { shape, seen }]) => {
    const mark = seen < objects ? '?' : '';
    return `${inner}${propertyName(name)}${mark}: ${renderUnion(shape, inner)};\n`;
  });
  return `{\n${lines.join('')}${indent}}`;
}

/** The name as TypeScript has it in an object type. */
export function propertyName(name: string): string {
  return /^[A-Za-z_$][\w$]*$/.test(name) ? name : JSON.stringify(name);
}

/** `blog-posts` → `BlogPosts`. */
function interfaceName(collection: string): string {
  const parts = collection.split(/[^A-Za-z0-9]+/).filter((part) => part !== '');
  return parts.map((part) => part.charAt(0).toUpperCase() + part.slice(1)).join('');
}

function uniqueName(wanted: string, taken: Set<string>): string {
  let name = wanted;
  for (let number = 2; taken.has(name); number += 1) name = `${wanted}${number}`;
  taken.add(name);
  return name;
}
