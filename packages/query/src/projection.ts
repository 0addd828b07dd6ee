/**
 * Which fields of a document are answered: `{"a": 1, "b.c": 1}` gives these and `_id` (unless `"_id": 0`); `{"a": 0}` gives all but these. The two are never mixed. A
 * dotted path goes into arrays, to each of their objects. The order of fields stays that of the document.
 */
import { isJsonObject, type JsonObject, type JsonValue, setMember } from './json.js';
import { parsePath } from './paths.js';
import { below, type Parsed, type QueryProblem, refuse } from './problems.js';
import { queryLimits } from './query-limits.js';

/** A field with what is named below it; null when the field itself is named. */
type Tree = ReadonlyMap<string, Tree | null>;
type MutableTree = Map<string, MutableTree | null>;
/** A parsed projection. */
export type Projection = { mode: 'include' | 'exclude'; tree: Tree };

/** Parses `$fields`. Nothing and `{}` leave documents as they are. */
export function parseProjection(value: unknown): Parsed<{ projection: Projection }> {
  if (value === undefined) return { ok: true, projection: { mode: 'exclude', tree: new Map() } };
  if (!isJsonObject(value)) return refuse('', 'A choice of fields is an object.', ['{"a": 1}', '{"a": 0}']);
  const entries = Object.entries(value).map(([key, choice]) => [key, chosen(choice)] as const);
  if (entries.length > queryLimits.projectionFields)
    return refuse('', `A choice of fields names at most ${queryLimits.projectionFields}.`);
  const choices = entries.filter(([key]) => key !== '_id').map(([, choice]) => choice);
  const errors: QueryProblem[] = entries
    .filter(([, choice]) => choice === null)
    .map(([key]) => ({
      field: below('', key),
      message: 'A field is chosen by 1 or left out by 0.',
      allowed: ['1', '0'],
    }));
  if (choices.includes(true) && choices.includes(false)) {
    errors.push({
      field: '',
      message: 'Fields are either chosen (1) or left out (0); only "_id": 0 may stand with chosen fields.',
    });
  }
  const idChoice = entries.find(([key]) => key === '_id')?.[1];
  const mode = choices.includes(true) || (choices.length === 0 && idChoice === true) ? 'include' : 'exclude';
  const tree: MutableTree = new Map();
  for (const [key] of entries) if (key !== '_id') grow(tree, key, errors);
  const isIdNamed = mode === 'include' ? idChoice !== false : idChoice === false;
  if (isIdNamed) tree.set('_id', null);
  return errors.length === 0
    ? { ok: true, projection: { mode, tree } }
    : { ok: false, errors: errors.slice(0, queryLimits.problems) };
}

function chosen(choice: JsonValue): boolean | null {
  if (choice === 1 || choice === true) return true;
  return choice === 0 || choice === false ? false : null;
}

function grow(tree: MutableTree, key: string, errors: QueryProblem[]): void {
  const parsed = parsePath(key);
  if (!parsed.ok) errors.push({ field: below('', key), message: parsed.message });
  else if (!plant(tree, parsed.path)) {
    errors.push({ field: below('', key), message: 'A field and a field of it are both named. Name one of them.' });
  }
}

/** Returns false when what is named already stands above or below. */
function plant(tree: MutableTree, path: readonly string[]): boolean {
  let at = tree;
  for (const segment of path.slice(0, -1)) {
    const next = at.get(segment);
    if (next === null) return false;
    const branch: MutableTree = next ?? new Map();
    at.set(segment, branch);
    at = branch;
  }
  const last = path.at(-1) ?? '';
  if (at.has(last)) return false;
  at.set(last, null);
  return true;
}

/** A new object with the chosen fields; what is deeper is shared with the document where it is whole. */
export function project({ mode, tree }: Projection, document: JsonObject): JsonObject {
  if (mode === 'exclude' && tree.size === 0) return document;
  return mode === 'include' ? include(document, tree) : exclude(document, tree);
}

function include(object: JsonObject, tree: Tree): JsonObject {
  const result: JsonObject = {};
  for (const [key, value] of Object.entries(object)) {
    const branch = tree.get(key);
    if (branch === undefined) continue;
    const kept = branch === null ? value : includeBelow(value, branch);
    if (kept !== undefined) setMember(result, key, kept);
  }
  return result;
}

/** Scalars have nothing below them. */
function includeBelow(value: JsonValue, tree: Tree): JsonValue | undefined {
  if (isJsonObject(value)) return include(value, tree);
  if (!Array.isArray(value)) return undefined;
  return value.map((item) => includeBelow(item, tree)).filter((item) => item !== undefined);
}

function exclude(object: JsonObject, tree: Tree): JsonObject {
  const result: JsonObject = {};
  for (const [key, value] of Object.entries(object)) {
    const branch = tree.get(key);
    if (branch !== null) setMember(result, key, branch === undefined ? value : excludeBelow(value, branch));
  }
  return result;
}

function excludeBelow(value: JsonValue, tree: Tree): JsonValue {
  if (isJsonObject(value)) return exclude(value, tree);
  return Array.isArray(value) ? value.map((item) => excludeBelow(item, tree)) : value;
}
