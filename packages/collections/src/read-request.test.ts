import { Problem } from '@tidewire/protocol/problem';
import { cursorOf, encodeCursor } from '@tidewire/query/cursor';
import { defaultSort } from '@tidewire/query/sort';
import { describe, expect, it } from 'vitest';
import { parseGetRequest, parseListRequest, type RequestDefaults } from './read-request.js';

const encode = (parameters: Record<string, unknown>) =>
  new URLSearchParams(
    Object.entries(parameters).map(([name, value]): [string, string] => [
      name,
      typeof value === 'object' ? JSON.stringify(value) : String(value),
    ]),
  ).toString();
const parse = (parameters: Record<string, unknown>, defaults?: RequestDefaults) =>
  parseListRequest(encode(parameters), defaults);

function places(parameters: Record<string, unknown>): string[] {
  try {
    parse(parameters);
    return [];
  } catch (error) {
    if (error instanceof Problem && error.code === 'bad_request') return error.errors.map(({ field }) => field);
    throw error;
  }
}

describe('a list request', () => {
  it('without parameters is the plain page', () => {
    expect(parse({})).toEqual({
      format: 'json',
      metafields: false,
      fields: null,
      flatten: false,
      escapeFormulas: false,
      related: { relations: true, links: false, children: false, referencedBy: false },
      asOf: null,
      filter: null,
      sort: null,
      max: 1_000,
      skip: 0,
      after: null,
      totals: false,
      aggregation: null,
    });
  });

  it('without parameters is the same as with those that say the same', () => {
    const defaults = { max: 7, totals: true, metafields: true, format: 'csv' } as const;
    expect(parse({}, defaults)).toEqual(parse({ format: 'csv', max: 7 }, defaults));
    expect(parseGetRequest('', defaults)).toEqual(parseGetRequest('format=csv', defaults));
  });

  it('is the plain page as well when its parameters say nothing more', () => {
    for (const parameters of [{ q: {} }, { h: {} }, { sort: '_id' }, { h: { $orderby: {} } }, { h: { $groupby: [] } }])
      expect(parse(parameters)).toEqual(parse({}));
  });

  it('takes hints before parameters, parameters before defaults', () => {
    expect(parse({ max: 5, skip: 1, h: { $max: 7, $skip: 2 } })).toMatchObject({ max: 7, skip: 2 });
    expect(parse({ max: 5 }, { max: 100, totals: true, metafields: true })).toMatchObject({
      max: 5,
      totals: true,
      metafields: true,
    });
    expect(parse({ totals: false, metafields: false }, { totals: true, metafields: true, max: 3 })).toMatchObject({
      max: 3,
      totals: false,
      metafields: false,
    });
    expect(parse({ sort: 'a', h: { $orderby: { b: -1 } } }).sort).toEqual(parse({ sort: 'b', dir: -1 }).sort);
  });

  it('gives a direction without a field to _id', () => {
    expect(parse({ dir: -1 }).sort).toEqual(parse({ sort: '_id', dir: -1 }).sort);
    expect(parse({ dir: 1 }).sort).toBeNull();
  });

  it('takes a cursor of its own order only', () => {
    const cursor = encodeCursor(defaultSort, cursorOf(defaultSort, { _id: '577cf185e2039b0900000016' }));
    expect(parse({ cursor }).after).toEqual(['577cf185e2039b0900000016']);
    expect(places({ cursor, sort: 'a' })).toEqual(['cursor']);
    expect(places({ cursor, skip: 1 })).toEqual(['cursor']);
  });

  it('names everything that is wrong, in all parameters', () => {
    expect(places({ q: { a: { $x: 1 } }, h: { $max: 'x', $y: 1 }, dir: 3, sort: 'a', filter: '!' }).toSorted()).toEqual(
      ['dir/0', 'filter', 'h/$max', 'h/$y', 'q/a/$x'],
    );
  });
});

describe('the request of a document', () => {
  it('takes the format of the path, and refuses another one', () => {
    expect(parseGetRequest('', { format: 'csv' }).format).toBe('csv');
    expect(parseGetRequest('format=csv', { format: 'csv' }).format).toBe('csv');
    expect(() => parseGetRequest('format=json', { format: 'csv' })).toThrowError('another format');
    expect(() => parseGetRequest('q={}')).toThrowError('not known');
  });
});
