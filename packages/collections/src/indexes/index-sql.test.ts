import type { IndexDefinition } from '@tidewire/protocol/collection-schema';
import { Problem } from '@tidewire/protocol/problem';
import { describe, expect, it } from 'vitest';
import { defaultIndexName, parseDefinition } from './index-definition.js';
import { progressOf } from './index-progress.js';
import { indexSql } from './index-sql.js';

const sql = (definition: IndexDefinition) => indexSql({ id: 7, collectionId: 3, definition });
const fields = (...paths: string[]): IndexDefinition => ({ fields: paths, unique: false, where: null });

describe('the statement', () => {
  it('makes an index of the collection alone, beside the writers', () => {
    const { name, create, prepare, findDoubles } = sql(fields('a'));
    expect([name, findDoubles]).toEqual(['documents_declared_7', null]);
    expect(prepare).toMatch(/^CREATE OR REPLACE FUNCTION tidewire_key_1\(/);
    expect(create).toMatch(
      /^CREATE INDEX CONCURRENTLY documents_declared_7 ON documents \(\(.*\), id\) WHERE collection_id = 3$/,
    );
  });

  it('has the fields in their order, and holds less of each text when they are many', () => {
    const { create } = sql(fields('a', 'b.c'));
    expect(create.indexOf("'{a}'")).toBeLessThan(create.indexOf("'{b,c}'"));
    expect(create).toContain(', 256)');
    expect(sql(fields('a', 'b', 'c')).create).toContain(', 128)');
  });

  it('keeps statistics of each field, for Postgres looks at none of a partial index', () => {
    const { statistics } = sql(fields('a', 'b'));
    expect(statistics.map((statement) => statement.slice(0, 60))).toEqual([
      'CREATE STATISTICS IF NOT EXISTS documents_declared_7_1 ON (t',
      'CREATE STATISTICS IF NOT EXISTS documents_declared_7_2 ON (t',
    ]);
  });

  it('is unique by the whole values, not by keys that are cut', () => {
    const { create, findDoubles } = sql({ fields: ['a', 'b'], unique: true, where: null });
    expect(create).toMatch(/^CREATE UNIQUE INDEX CONCURRENTLY .* \(sha256\(.*\)\)\) WHERE collection_id = 3$/);
    expect(findDoubles).toContain('HAVING count(*) > 1');
  });

  it('quotes the texts of a condition', () => {
    const { create } = sql({ fields: ['a'], unique: false, where: { b: "it's \\ $1" } });
    expect(create).toMatch(
      / WHERE collection_id = 3 AND \(data @\? {1,2}E'lax \$ \? \(\$\."b" == "it''s .*"\)'::jsonpath\)$/,
    );
    expect(create).not.toMatch(/[^"]\$1[^"]/);
  });

  it('of words makes the function that finds them', () => {
    const { create, prepare } = sql({ text: [] });
    expect(create).toBe(
      'CREATE INDEX CONCURRENTLY documents_declared_7 ON documents USING gin (tidewire_words_1(data)) WHERE collection_id = 3',
    );
    expect(prepare).toMatch(/^CREATE OR REPLACE FUNCTION tidewire_words_1\(/);
  });
});

it.each<[IndexDefinition, string]>([
  [fields('a', "b'"), '/fields/1'],
  [fields('_id'), '/fields/0'],
  [fields('a', 'b', 'a'), '/fields/2'],
  [{ fields: ['a'], unique: false, where: { $or: 1 } }, '/where/$or'],
  [{ fields: ['a'], unique: false, where: { a: { $gt: { $currentDate: true } } } }, '/where'],
  [{ fields: ['a'], unique: false, where: { _created: { $gt: { $date: '2024-01-01' } } } }, '/where'],
])('%j is refused at %s', (definition, place) => {
  const refusal = (() => {
    try {
      return parseDefinition(definition);
    } catch (error) {
      return error;
    }
  })();
  expect(refusal).toBeInstanceOf(Problem);
  expect(refusal instanceof Problem && refusal.errors[0]?.field.startsWith(place)).toBe(true);
});

it('an index without a name is named after what it covers', () => {
  expect(defaultIndexName(fields('a', 'b.c'))).toBe('a_b.c');
  expect(defaultIndexName({ fields: ['a'], unique: true, where: { b: 1 } })).toBe('a_unique_where');
  expect(defaultIndexName({ text: [] })).toBe('text');
  expect(defaultIndexName(fields('x'.repeat(100)))).toHaveLength(63);
});

it('progress rises from phase to phase, and never says that all is done', () => {
  const shares = [
    progressOf('waiting for writers before build', 0, 2),
    progressOf('building index: scanning table', 10, 100),
    progressOf('building index: scanning table', 90, 100),
    progressOf('building index: sorting live tuples', 0, 0),
    progressOf('building index: loading tuples in tree', 50, 100),
    progressOf('index validation: scanning index', 1, 10),
    progressOf('index validation: sorting tuples', 0, 0),
    progressOf('index validation: scanning table', 9, 10),
    progressOf('waiting for old snapshots', 1, 1),
  ].map(({ progress }) => progress);
  expect([...shares].sort((a, b) => a - b)).toEqual(shares);
  expect(shares.at(-1)).toBeLessThan(1);
  expect(progressOf('a phase of tomorrow', 1, 2).progress).toBeGreaterThanOrEqual(0);
});
