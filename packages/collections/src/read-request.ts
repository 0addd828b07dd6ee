/** What a GET asks for: the query parameters of restdb.io (`q`, `h`, `sort` …) and ours, parsed. */

import type { JsonValue } from '@tidewire/protocol/json';
import type { ProblemField } from '@tidewire/protocol/problem';
import { type Aggregation, parseAggregation } from '@tidewire/query/aggregation';
import type { Filter } from '@tidewire/query/ast';
import { type CursorValues, decodeCursor } from '@tidewire/query/cursor';
import { type Hints, parseHints } from '@tidewire/query/hints';
import { parseFilter, parseTextFilter } from '@tidewire/query/parse-filter';
import type { Parsed } from '@tidewire/query/problems';
import type { Projection } from '@tidewire/query/projection';
import { defaultSort, parseSortParameters, type Sort, sortText } from '@tidewire/query/sort';
import { searchOf } from '@tidewire/query/text-search';
import { documentsLimit } from './page-limit.js';
import {
  flag,
  oneOf,
  optional,
  parseParameters,
  text,
  texts,
  wholeNumber,
  wrongParameters,
} from './query-parameters.js';

/** How many documents a page has when `max` is not given, as restdb.io's. */
export const defaultMax = 1_000;

/** The formats of an answer, by the names of `format=` and of the suffixes of paths. */
export const formats = ['json', 'csv', 'html'] as const;
/** One of `formats`. */
export type Format = (typeof formats)[number];

/**
 * What is shown of other documents. `relations`: the documents that are referred to stand in the place of their ids; `links`: URLs do; `children`: the lists of
 * children stand under their fields; `referencedBy`: what refers to the document (of one document alone).
 */
export type Related = { relations: boolean; links: boolean; children: boolean; referencedBy: boolean };

/** How documents are shown. `fields` null: all. `escapeFormulas` is for CSV and HTML. */
export type Shape = {
  format: Format;
  metafields: boolean;
  fields: Projection | null;
  flatten: boolean;
  escapeFormulas: boolean;
  related: Related;
  /** After which event; null: now. */
  asOf: number | null;
};

/**
 * A list. `filter` null: every document; `sort` null: by `_id`. `after`: what the row before the page has in the order, null for a page that is found by `skip`.
 * `aggregation`: rows of groups or one total instead of documents.
 */
export type ListRequest = Shape & {
  filter: Filter | null;
  sort: Sort | null;
  max: number;
  skip: number;
  after: CursorValues | null;
  totals: boolean;
  aggregation: Aggregation | null;
};

/** What holds when the request does not say it; `ignored`: parameters that others read; `format`: of the path's suffix, null without one. */
export type RequestDefaults = {
  ignored?: readonly string[];
  format?: Format | null;
  max?: number;
  metafields?: boolean;
  totals?: boolean;
  relations?: boolean;
};

/** What holds for the lists of documents that the dashboard shows: pages of a table, with the documents as they are stored. */
export const adminListDefaults = {
  format: 'json',
  max: 100,
  metafields: true,
  totals: true,
  relations: false,
} as const satisfies RequestDefaults;

const shapeParameters = {
  format: oneOf(formats),
  metafields: oneOf(['true', 'false']),
  flatten: flag,
  escapeformulas: flag,
  fetchrelations: oneOf(['true', 'false']),
  fetchchildren: flag,
  idtolink: flag,
  asof: optional(wholeNumber(0, 0, Number.MAX_SAFE_INTEGER)),
};

const documentParameters = { ...shapeParameters, referencedby: flag };

const listParameters = {
  ...shapeParameters,
  q: text,
  h: text,
  filter: text,
  sort: texts,
  dir: texts,
  max: optional(wholeNumber(0, 0, documentsLimit)),
  skip: wholeNumber(0, 0, Number.MAX_SAFE_INTEGER),
  cursor: text,
  totals: oneOf(['true', 'false']),
  groupby: texts,
  aggregate: texts,
};

type ShapeParameters = {
  format: Format | null;
  metafields: 'true' | 'false' | null;
  flatten: boolean;
  escapeformulas: boolean;
  fetchrelations: 'true' | 'false' | null;
  fetchchildren: boolean;
  idtolink: boolean;
  referencedby?: boolean;
  asof: number | null;
};

/**
 * The request of a document. Throws `bad_request` that names each wrong parameter.
 */
export function parseGetRequest(query: string, defaults: RequestDefaults = {}): Shape {
  return query === ''
    ? plainShape(defaults)
    : shapeOf(parseParameters(query, documentParameters, defaults.ignored), defaults, null);
}

/**
 * The request of a list; hints override parameters of the same meaning. Throws `bad_request` that names each wrong parameter, and within `q` and `h` each wrong place as a JSON
 * Pointer behind the name: `q/age/$gt`.
 */
export function parseListRequest(query: string, defaults: RequestDefaults = {}): ListRequest {
  if (query === '') return plainRequest(defaults);
  const given = parseParameters(query, listParameters, defaults.ignored);
  const found = new Findings();
  const filter = joinFilters([
    given.q === null ? null : found.take('q', parseJsonParameter(given.q, parseFilter))?.filter,
    given.filter === null ? null : found.take('filter', parseTextFilter(given.filter))?.filter,
  ]);
  const hints = given.h === null ? {} : parseHintsOf(given.h, filter, found);
  const sort = unlessDefault(hints.sort ?? parseSortOf(given.sort, given.dir, found));
  const aggregation = unlessEmpty(hints.aggregation ?? parseAggregationOf(given.groupby, given.aggregate, found));
  const skip = hints.skip ?? given.skip;
  const defaultLimit = defaults.max ?? (aggregation === null ? defaultMax : documentsLimit);
  const max = hints.max ?? given.max ?? defaultLimit;
  if (given.cursor !== null && skip > 0) found.conflict('cursor', 'skip');
  if (aggregation !== null) {
    if (given.cursor !== null) found.conflict('cursor', 'groups and aggregates');
    if (sort !== null) found.conflict('sort', 'groups and aggregates, whose rows stand in the order of their keys');
    if (hints.fields !== undefined) found.conflict('h/$fields', 'groups and aggregates');
  }
  found.throwErrors();
  const after = given.cursor === null ? null : found.take('cursor', decodeCursor(sort ?? defaultSort, given.cursor));
  found.throwErrors();
  const totals = given.totals === null ? (defaults.totals ?? false) : given.totals === 'true';
  const shape = shapeOf(given, defaults, hints.fields ?? null);
  return { ...shape, filter, sort, max, skip, after: after?.values ?? null, totals, aggregation };
}

/** What most requests are: nothing to parse. */
function plainRequest(defaults: RequestDefaults): ListRequest {
  return {
    ...plainShape(defaults),
    filter: null,
    sort: null,
    max: defaults.max ?? defaultMax,
    skip: 0,
    after: null,
    totals: defaults.totals ?? false,
    aggregation: null,
  };
}

function plainShape({ format, metafields = false, relations = true }: RequestDefaults): Shape {
  const related = relations ? relationsAlone : nothingRelated;
  return {
    format: format ?? 'json',
    metafields,
    fields: null,
    flatten: false,
    escapeFormulas: false,
    related,
    asOf: null,
  };
}

const relationsAlone: Related = { relations: true, links: false, children: false, referencedBy: false };
const nothingRelated: Related = { ...relationsAlone, relations: false };

/** What is wrong, across the parameters. */
class Findings {
  private readonly errors: ProblemField[] = [];

  /** The outcome of a parser, or null with its problems noted behind the name of the parameter. */
  take<T extends object>(name: string, parsed: Parsed<T>, place = placeBehind): T | null {
    if (parsed.ok) return parsed;
    for (const problem of parsed.errors) {
      const { message, allowed } = problem;
      const field = place(name, problem.field);
      this.errors.push({ field, message, ...(allowed === undefined ? {} : { allowed: allowed.join(', ') }) });
    }
    return null;
  }

  conflict(field: string, other: string): void {
    this.errors.push({ field, message: `it does not go together with ${other}` });
  }

  throwErrors(): void {
    if (this.errors.length > 0) throw wrongParameters(this.errors.slice(0, 20));
  }
}

const placeBehind = (name: string, pointer: string) => name + pointer;
/** The pointers of parsers that take several parameters begin with the name of one. */
const placeWithin = (name: string, pointer: string) => (pointer === '' ? name : pointer.slice(1));

function parseHintsOf(given: string, filter: Filter | null, found: Findings): Hints {
  const search = filter === null ? null : searchOf(filter);
  return (
    found.take(
      'h',
      parseJsonParameter(given, (value) => parseHints(value, { search })),
    )?.hints ?? {}
  );
}

/** The order by `_id` has a way of its own. */
function unlessDefault(sort: Sort | null): Sort | null {
  return sort !== null && sortText(sort) === sortText(defaultSort) ? null : sort;
}

/** Neither groups nor aggregates: the list itself. */
function unlessEmpty(aggregation: Aggregation | null): Aggregation | null {
  return aggregation === null || aggregation.groupKeys.length + aggregation.items.length === 0 ? null : aggregation;
}

/** Null when there is none. A direction without a field is that of `_id`. */
function parseSortOf(fields: readonly string[], directions: readonly string[], found: Findings): Sort | null {
  if (fields.length === 0 && directions.length === 0) return null;
  const sorted = fields.length === 0 ? ['_id'] : [...fields];
  if (directions.length > sorted.length) {
    found.take('dir', {
      ok: false,
      errors: [{ field: '', message: 'there are more directions than fields to sort by' }],
    });
    return null;
  }
  return found.take('sort', parseSortParameters(sorted, [...directions]), placeWithin)?.sort ?? null;
}

function parseAggregationOf(
  groupby: readonly string[],
  aggregate: readonly string[],
  found: Findings,
): Aggregation | null {
  if (groupby.length === 0 && aggregate.length === 0) return null;
  const given = { groupby: [...groupby], aggregate: [...aggregate] };
  return found.take('aggregate', parseAggregation(given), placeWithin)?.aggregation ?? null;
}

function shapeOf(given: ShapeParameters, defaults: RequestDefaults, fields: Projection | null): Shape {
  const format = given.format ?? defaults.format ?? 'json';
  if (defaults.format && format !== defaults.format) {
    throw wrongParameters([{ field: 'format', message: 'the path asks for another format', allowed: defaults.format }]);
  }
  const metafields = given.metafields === null ? (defaults.metafields ?? false) : given.metafields === 'true';
  const related: Related = {
    relations: given.fetchrelations === null ? (defaults.relations ?? true) : given.fetchrelations === 'true',
    links: given.idtolink,
    children: given.fetchchildren,
    referencedBy: given.referencedby ?? false,
  };
  const { flatten, escapeformulas: escapeFormulas, asof: asOf } = given;
  return { format, metafields, fields, flatten, escapeFormulas, related, asOf };
}

/** Null when there is none, or none that says anything. */
function joinFilters(filters: readonly (Filter | null | undefined)[]): Filter | null {
  const items = filters.filter((filter) => filter != null && !isEverything(filter)) as Filter[];
  const [first] = items;
  if (first === undefined) return null;
  return items.length === 1 ? first : { kind: 'and', items };
}

function parseJsonParameter<T extends object>(given: string, parse: (value: JsonValue) => Parsed<T>): Parsed<T> {
  let value: JsonValue;
  try {
    value = JSON.parse(given) as JsonValue;
  } catch (error) {
    const position = /at position (\d+)/.exec(String(error))?.[1];
    const place = position === undefined ? '' : ` at character ${position}`;
    return {
      ok: false,
      errors: [{ field: '', message: `this is no JSON${place}`, allowed: ['an object, as in {"name":"Ada"}'] }],
    };
  }
  return parse(value);
}

function isEverything(filter: Filter): boolean {
  return filter.kind === 'and' && filter.items.length === 0;
}
