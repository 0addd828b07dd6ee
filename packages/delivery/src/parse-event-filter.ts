/** The query parameters `collections`, `events` and `q` of streams and polls. */
import { collectionNamePattern, collectionNameRule, eventNamePattern, eventNameRule } from '@tidewire/protocol/names';
import { Problem, type ProblemField } from '@tidewire/protocol/problem';
import type { Filter } from '@tidewire/query/ast';
import { parseFilter } from '@tidewire/query/parse-filter';
import { createEventFilter, type EventFilter } from './event-filter.js';

/** As they came: each may be repeated, and `collections` and `events` hold names with commas between them. */
export type FilterParameters = {
  collections: readonly string[];
  events: readonly string[];
  q: readonly string[];
};

/** Most names of a list: each is looked at for each event. */
const MOST_NAMES = 100;
const namesRule = `at most ${MOST_NAMES} names, with commas between them`;

/** Throws `bad_request` that names every wrong place. */
export function parseEventFilter({ collections, events, q }: FilterParameters): EventFilter {
  const errors: ProblemField[] = [];
  const terms = {
    collections: namesOf('collections', collections, isCollection, collectionNameRule, errors),
    events: namesOf(
      'events',
      events,
      isEvent,
      `a type of event, or ${eventNameRule}, or a prefix as in chat.*`,
      errors,
    ),
    query: queryOf(q, errors),
  };
  if (errors.length === 0) return createEventFilter(terms);
  const detail = errors.map(({ field, message, allowed }) => `${field}: ${message} (allowed: ${allowed})`).join('; ');
  throw new Problem('bad_request', `Wrong query parameters. ${detail}`, { errors });
}

function namesOf(
  field: string,
  given: readonly string[],
  isName: (text: string) => boolean,
  rule: string,
  errors: ProblemField[],
): string[] | null {
  if (given.length === 0) return null;
  const names = given.flatMap((text) => text.split(',')).map((name) => name.trim());
  if (names.length > MOST_NAMES) errors.push({ field, message: `${names.length} names`, allowed: namesRule });
  const wrong = names.find((name) => !isName(name));
  if (wrong !== undefined)
    errors.push({ field, message: `${JSON.stringify(wrong.slice(0, 100))} is not a name`, allowed: rule });
  return names;
}

function isCollection(text: string): boolean {
  return collectionNamePattern.test(text);
}

function isEvent(text: string): boolean {
  return eventNamePattern.test(text.endsWith('.*') ? text.slice(0, -2) : text);
}

function queryOf(given: readonly string[], errors: ProblemField[]): Filter | null {
  const [text, ...others] = given;
  if (text === undefined) return null;
  if (others.length > 0) {
    errors.push({ field: 'q', message: 'the parameter is given twice', allowed: 'once' });
    return null;
  }
  const value = parseJson(text);
  if (value === undefined) {
    errors.push({ field: 'q', message: 'this is no JSON', allowed: 'an object, as in {"name":"Ada"}' });
    return null;
  }
  const parsed = parseFilter(value);
  if (parsed.ok) return parsed.filter;
  for (const { field, message, allowed } of parsed.errors)
    errors.push({ field: `q${field}`, message, allowed: allowed?.join(', ') ?? 'a query as for GET /rest' });
  return null;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
