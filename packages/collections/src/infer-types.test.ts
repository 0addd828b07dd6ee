import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { JsonObject } from '@tidewire/protocol/json';
import { expect, test } from 'vitest';
import { createCollectionShape, noteDocument, renderTypes } from './infer-types.js';

function infer(collections: Record<string, JsonObject[]>): string {
  const shapes = Object.entries(collections).map(([name, documents]) => {
    const shape = createCollectionShape(name);
    for (const document of documents) noteDocument(shape, document);
    return shape;
  });
  return renderTypes(shapes);
}

const id = '577cf185e2039b0900000016';
const many: JsonObject = Object.fromEntries(Array.from({ length: 300 }, (_, n) => [`k${n}`, n % 2 ? n : 'x']));
const collections: Record<string, JsonObject[]> = {
  company: [
    { _id: id, name: 'ACME', size: 3, 'odd name': true, tags: ['a', 1, null], address: { city: 'Bonn', zip: null } },
    { _id: id, name: null, size: '3', address: { city: 'Ulm' }, empty: {}, list: [], '1': [{ a: 1 }, { b: 2 }] },
  ],
  'blog-posts': [{ _id: id, __typename: 'x', 'quote"\\\u2028': 1 }],
  blogPosts: [],
  BlogPosts2: [{ _id: id, scores: many }],
  database: [{ _id: id }],
  string: [{ _id: id, text: 'x' }],
};

/** Compiles the module together with a use of it. */
function compile(types: string, use: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'tw-types-'));
  try {
    writeFileSync(join(folder, 'types.ts'), types);
    writeFileSync(join(folder, 'use.ts'), `import type * as types from './types.js';\n${use}`);
    const tsc = join(dirname(createRequire(import.meta.url).resolve('typescript/package.json')), 'bin', 'tsc');
    const args = ['--strict', '--noEmit', '--module', 'nodenext', '--target', 'es2023', '--types', '', 'use.ts'];
    execFileSync(process.execPath, [tsc, ...args], { cwd: folder, encoding: 'utf8' });
    return '';
  } catch (error) {
    return String((error as { stdout?: string }).stdout ?? error);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

test('each field has the union of what was seen, and is optional when it was missing somewhere', () => {
  expect(infer({ company: collections.company ?? [] })).toBe(`/** A document of the collection company. */
export interface Company {
  _id: string;
  name: string | null;
  size: number | string;
  "odd name"?: boolean;
  tags?: (number | string | null)[];
  address: {
    city: string;
    zip?: null;
  };
  "1"?: {
    a?: number;
    b?: number;
  }[];
  empty?: { [key: string]: never };
  list?: unknown[];
}

/** The collections of the database. */
export interface Database {
  company: Company;
}
`);
});

test('the module compiles under strict rules, takes what fits and refuses what does not', () => {
  const types = infer(collections);
  expect(types).toBe(infer(collections));
  const good = `const database: types.Database = {
    company: { _id: 'x', name: null, size: 1, address: { city: 'Bonn' } },
    'blog-posts': { _id: 'x', __typename: 'x', 'quote"\\\\\\u2028': 1 },
    blogPosts: { _id: 'x', anything: 1 },
    BlogPosts2: { _id: 'x', scores: { any: 1, other: 'x' } },
    database: { _id: 'x' },
    string: { _id: 'x', text: 'x' },
  };
  export default database;`;
  expect(compile(types, good)).toBe('');
  const bad = `export const company: types.Company = { _id: 'x', name: 1, size: 1, address: { city: 'Bonn' } };`;
  expect(compile(types, bad)).toContain("Type 'number' is not assignable to type 'string'");
}, 60_000);
