import { describe, expect, it } from 'vitest';
import { mayHoldReferences, referencesAlone } from './document-reference.js';
import { validateChanges, validateNewDocument } from './validate-document.js';

const id = '577cf185e2039b0900000016';
const reference = { $ref: 'company', $id: id };

describe('a reference in a body', () => {
  it('is kept at any depth, and loses what stands beside its two keys', () => {
    const read = { owner: { ...reference, name: 'ACME', $db: 'x', deep: { $x: 1 } }, list: [[{ a: reference }], 1] };
    expect(validateNewDocument(read)).toEqual({ owner: reference, list: [[{ a: reference }], 1] });
    expect(validateChanges(read, id)).toEqual({ owner: reference, list: [[{ a: reference }], 1] });
  });

  it('leaves the body as it is when nothing stands beside it', () => {
    const body = { owner: reference };
    expect(validateNewDocument(body)).toBe(body);
  });

  it.each([
    [{ a: { $ref: 'company' } }],
    [{ a: { $id: id } }],
    [{ a: { $ref: '', $id: id } }],
    [{ a: { $ref: 'company', $id: null } }],
    [{ a: { $ref: 'company', $id: id.toUpperCase() } }],
    [{ a: { $ref: { $ref: 'company', $id: id }, $id: id } }],
    [{ a: { $db: 'x' } }],
    [reference],
  ])('is refused when it is none: %j', (body) => {
    expect(() => validateNewDocument(body)).toThrow();
  });
});

it('what is dropped leaves the input as it was', () => {
  const value = [{ a: { ...reference, b: 1 } }];
  expect(referencesAlone(value)).toEqual([{ a: reference }]);
  expect(value).toEqual([{ a: { ...reference, b: 1 } }]);
});

describe('the look at a stored text', () => {
  it('finds every document with a reference', () => {
    expect(mayHoldReferences(JSON.stringify({ a: [{ b: reference }] }))).toBe(true);
  });

  it.each([[{ a: '"$ref":' }], [{ a: '{"$ref":"company"}' }], [{ a: '$ref', $: 1 }], [{ a: ['$ref'] }], [{}]])(
    'is not deceived by texts: %j',
    (document) => {
      expect(mayHoldReferences(JSON.stringify(document))).toBe(false);
    },
  );
});
