/**
 * A rule as it is saved, with a user's values put into it. In `q` and `defaults` a text `$user.sub`, `$user.role` or `$user.claims.…` stands for a value; nothing else of a text is
 * looked at, and keys never are.
 *
 * A value is a text, a number, true or false; in the list of `$in`, `$nin` or `$all` it may be an array of these. A claim is somebody else's input: an object never gets into a query, where it
 * would be read as operators, and a user without the value is let through nowhere.
 */
import type { JsonObject, JsonValue } from '@tidewire/protocol/json';
import type { RoleRule } from '@tidewire/protocol/roles';
import type { Filter } from '@tidewire/query/ast';
import { parseFilter } from '@tidewire/query/parse-filter';
import { isStorable } from '@tidewire/query/paths';
import { below, type QueryProblem } from '@tidewire/query/problems';
import type { RuleTerm } from './rule.js';

/** What `$user` stands for. `role`: the name of the role that the rule is of. */
export type UserValues = { sub: string; role: string; claims: JsonObject };

/** Values by the text behind `$user.`; undefined when there is none. */
type Lookup = (name: string) => JsonValue | undefined;

const nothing: Filter = { kind: 'or', items: [] };
const listOperators: ReadonlySet<string> = new Set(['$in', '$nin', '$all']);
/** Operands that are no values: what stands there must be known when the rule is saved. */
const fixedOperands: ReadonlySet<string> = new Set(['$regex', '$options', '$search', '$type', '$exists', '$size']);
/** They would be fixed when the rule is bound, and no event tells when they are over. */
const dynamicDates: ReadonlySet<string> = new Set(['$currentDate', '$currentMonth', '$currentYear']);

const allowedValues = ['$user.sub', '$user.role', '$user.claims.name'];

/** Thrown within this file alone: the user has no such value. */
class MissingValue extends Error {}

/** What the role says of this user. A user that lacks a value of `q` gets nothing through; one that lacks a value of `defaults` makes nothing. */
export function bindRule(rule: RoleRule, values: UserValues): RuleTerm {
  const lookup = lookupOf(values);
  return {
    filter: rule.q === undefined ? null : filterOf(rule.q as JsonObject, lookup),
    readFields: rule.readFields ?? null,
    writeFields: rule.writeFields ?? null,
    defaults: rule.defaults === undefined ? {} : orNull(() => bindObject(rule.defaults as JsonObject, lookup)),
  };
}

function filterOf(q: JsonObject, lookup: Lookup): Filter | null {
  const bound = orNull(() => bindObject(q, lookup));
  if (bound === null) return nothing;
  const parsed = parseFilter(bound);
  if (!parsed.ok) return nothing;
  const { filter } = parsed;
  return filter.kind === 'and' && filter.items.length === 0 ? null : filter;
}

function orNull<T>(work: () => T): T | null {
  try {
    return work();
  } catch (error) {
    if (error instanceof MissingValue) return null;
    throw error;
  }
}

/** Everything that is wrong with a rule that is to be saved, each with its place as a JSON Pointer into the rule. */
export function problemsOfRule(rule: RoleRule): QueryProblem[] {
  const { q, defaults } = rule;
  const problems = [
    ...(['readFields', 'writeFields'] as const).flatMap((list) => problemsOfFields(`/${list}`, rule[list] ?? [])),
    ...(q === undefined ? [] : problemsOfValues('/q', q as JsonObject)),
    ...(defaults === undefined ? [] : problemsOfDefaults(defaults as JsonObject)),
  ];
  if (q === undefined || problems.length > 0) return problems;
  const parsed = parseFilter(bindObject(q as JsonObject, () => 'a text'));
  return parsed.ok ? [] : parsed.errors.map((error) => ({ ...error, field: `/q${error.field}` }));
}

function problemsOfFields(at: string, names: readonly string[]): QueryProblem[] {
  const wrong = (name: string) => name.includes('.') || name.startsWith('$') || name.startsWith('_');
  return names.flatMap((name, index) =>
    wrong(name)
      ? [
          {
            field: below(at, index),
            message:
              'A rule names fields at the root of a document, without dots; those with _ in front are seen always.',
            allowed: ['"address"'],
          },
        ]
      : [],
  );
}

/** What stands for values, and what cannot be in a rule. */
function problemsOfValues(at: string, value: JsonValue, operator = ''): QueryProblem[] {
  if (typeof value === 'string') {
    if (dynamicDates.has(value)) return [noDynamicDates(at)];
    if (!isReference(value)) return [];
    if (nameOf(value) === null)
      return [
        { field: at, message: `There is no value ${JSON.stringify(value.slice(0, 60))}.`, allowed: allowedValues },
      ];
    if (!fixedOperands.has(operator)) return [];
    return [{ field: at, message: `The operand of ${operator} cannot come from the user.`, allowed: ['a fixed one'] }];
  }
  if (typeof value !== 'object' || value === null) return [];
  if (Array.isArray(value)) return value.flatMap((item, index) => problemsOfValues(below(at, index), item, operator));
  return Object.entries(value).flatMap(([key, item]) => {
    const place = below(at, key);
    return dynamicDates.has(key) ? [noDynamicDates(place)] : problemsOfValues(place, item, key);
  });
}

function noDynamicDates(field: string): QueryProblem {
  return {
    field,
    message: 'A rule has no dates that move: what it lets through must follow from the document and the user.',
    allowed: ['{"$date": "2024-05-01"}'],
  };
}

function problemsOfDefaults(defaults: JsonObject): QueryProblem[] {
  const own = Object.keys(defaults).flatMap((name) =>
    name.startsWith('_')
      ? [{ field: below('/defaults', name), message: 'Names that begin with _ belong to the server.' }]
      : [],
  );
  return [...own, ...problemsOfKeys('/defaults', defaults), ...problemsOfValues('/defaults', defaults)];
}

function problemsOfKeys(at: string, value: JsonValue): QueryProblem[] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, item]) => {
    const place = below(at, key);
    const isBad = key.startsWith('$') || key === '__proto__' || !isStorable(key);
    return isBad
      ? [{ field: place, message: 'This cannot be the name of a field.', allowed: ['a name without $ in front'] }]
      : problemsOfKeys(place, item);
  });
}

function bindObject(object: JsonObject, lookup: Lookup): JsonObject {
  const members = Object.entries(object).map(([key, value]) => [
    key,
    listOperators.has(key) ? bindList(value, lookup) : bindValue(value, lookup),
  ]);
  return Object.fromEntries(members) as JsonObject;
}

function bindValue(value: JsonValue, lookup: Lookup): JsonValue {
  if (isReference(value)) return scalarOf(lookup(nameOf(value) ?? ''));
  if (Array.isArray(value)) return value.map((item) => bindValue(item, lookup));
  return typeof value === 'object' && value !== null ? bindObject(value, lookup) : value;
}

/** Values that are arrays become members of the list. */
function bindList(value: JsonValue, lookup: Lookup): JsonValue {
  if (isReference(value)) return listOf(lookup(nameOf(value) ?? ''));
  if (!Array.isArray(value)) return bindValue(value, lookup);
  return value.flatMap((item) => (isReference(item) ? listOf(lookup(nameOf(item) ?? '')) : [bindValue(item, lookup)]));
}

function listOf(value: JsonValue | undefined): JsonValue[] {
  return Array.isArray(value) ? value.map(scalarOf) : [scalarOf(value)];
}

function scalarOf(value: JsonValue | undefined): JsonValue {
  if (typeof value === 'number' || typeof value === 'boolean') return value;
  if (typeof value === 'string' && isStorable(value)) return value;
  throw new MissingValue();
}

function isReference(value: JsonValue): value is string {
  return typeof value === 'string' && (value === '$user' || value.startsWith('$user.'));
}

/** What stands behind `$user.`; null when there is no such value for anybody. */
function nameOf(reference: string): string | null {
  const name = reference.slice('$user.'.length);
  return name === 'sub' || name === 'role' || /^claims\.[^.].*$/su.test(name) ? name : null;
}

function lookupOf({ sub, role, claims }: UserValues): Lookup {
  return (name) => {
    if (name === 'sub') return sub;
    return name === 'role' ? role : claimAt(claims, name.slice('claims.'.length));
  };
}

/** A claim by its name, or by the names on the way to it; a name may itself have dots in it, as `https://app.example/team` has. */
function claimAt(claims: JsonValue | undefined, path: string): JsonValue | undefined {
  if (typeof claims !== 'object' || claims === null || Array.isArray(claims)) return undefined;
  if (Object.hasOwn(claims, path)) return claims[path];
  for (let dot = path.indexOf('.'); dot > 0; dot = path.indexOf('.', dot + 1)) {
    const key = path.slice(0, dot);
    const found = Object.hasOwn(claims, key) ? claimAt(claims[key], path.slice(dot + 1)) : undefined;
    if (found !== undefined) return found;
  }
  return undefined;
}
