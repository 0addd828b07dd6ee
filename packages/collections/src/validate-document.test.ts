import type { JsonValue } from '@tidewire/protocol/json';
import { Problem } from '@tidewire/protocol/problem';
import { describe, expect, it } from 'vitest';
import { validateChanges, validateNewDocument } from './validate-document.js';

const id = '577cf185e2039b0900000016';

function refusedField(validate: () => unknown): string | undefined {
  try {
    validate();
  } catch (error) {
    if (error instanceof Problem && error.code === 'validation_failed') return error.errors[0]?.field;
    throw error;
  }
  return 'taken';
}

describe('the body of a document', () => {
  it.each([null, true, 1, 'text', [], [{}]] as JsonValue[])('is refused when it is %j', (body) => {
    expect(refusedField(() => validateNewDocument(body))).toBe('');
    expect(refusedField(() => validateChanges(body, id))).toBe('');
  });

  it.each([
    [{ _owner: 1 }, '/_owner'],
    [{ ok: 1, _: 1 }, '/_'],
    [{ $inc: { a: 1 } }, '/$inc'],
    [{ a: { b: [{ $gt: 1 }] } }, '/a/b/0/$gt'],
    [{ 'a/b': { '$~': 1 } }, '/a~1b/$~0'],
  ] as [JsonValue, string][])('is refused when it is %j, with the place %s', (body, field) => {
    expect(refusedField(() => validateNewDocument(body))).toBe(field);
    expect(refusedField(() => validateChanges(body, id))).toBe(field);
  });

  it('may name no _id when it is new, and only its own when it changes', () => {
    expect(refusedField(() => validateNewDocument({ _id: id }, '/3'))).toBe('/3/_id');
    expect(validateChanges({ _id: id, a: 1 }, id)).toEqual({ a: 1 });
    for (const other of ['577cf185e2039b0900000017', null, 1, [id], '']) {
      expect(refusedField(() => validateChanges({ _id: other }, id))).toBe('/_id');
    }
  });

  it('loses the metafields that a client read before, and keeps everything else', () => {
    const read = {
      a: 1,
      _created: 'x',
      _changed: 'x',
      _createdby: 'x',
      _changedby: 'x',
      _version: 9,
      _keywords: [],
      _tags: '',
      b_: { _x: 1 },
    };
    expect(validateNewDocument(read)).toEqual({ a: 1, b_: { _x: 1 } });
    expect(validateNewDocument({ a: { _id: 'nested', a$: 1 } })).toEqual({ a: { _id: 'nested', a$: 1 } });
  });
});
