import type { StoredDocument } from '@tidewire/change-log/document-writes';
import type { JsonObject, JsonValue } from '@tidewire/protocol/json';
import { describe, expect, it } from 'vitest';
import { type ChangeForm, parseChange } from './document-change.js';

const id = '577cf185e2039b0900000016';
const at = '2026-03-01T10:00:00.000Z';
const stored: StoredDocument = {
  id,
  body: '',
  version: 0,
  createdAt: at,
  changedAt: at,
  createdBy: 'api',
  changedBy: 'api',
};
const change = (form: ChangeForm, body: JsonValue, before: JsonObject) => parseChange(form, body, id)(before, stored);

describe('the body of a PUT or PATCH', () => {
  it('merges its fields first, then applies its operators', () => {
    const body = { name: 'x', counts: { n: 1 }, $inc: { 'counts.n': 1, m: 1 } };
    const twice = [0, 1].map(() => change('merge', body, { name: 'y', m: 1 }));
    expect(twice).toEqual([
      { name: 'x', counts: { n: 2 }, m: 2 },
      { name: 'x', counts: { n: 2 }, m: 2 },
    ]);
  });

  it('replaces everything when it shall', () => {
    expect(change('replace', { _id: id, _version: 7, b: 1 }, { a: 1 })).toEqual({ b: 1 });
  });

  it('leaves metafields that come back in a merge patch alone, even null', () => {
    expect(change('merge-patch', { _version: null, a: null, b: { c: null, d: 1 } }, { a: 1 })).toEqual({ b: { d: 1 } });
  });

  it.each<[ChangeForm, JsonValue]>([
    ['merge', []],
    ['merge', { _id: 'ffffffffffffffffffffffff' }],
    ['merge', { _x: 1, $inc: { a: 1 } }],
    ['replace', { $inc: { a: 1 } }],
    ['merge-patch', null],
    ['merge-patch', { a: { $set: 1 } }],
    ['merge-patch', { $inc: { a: 1 } }],
  ])('is refused as %s %j', (form, body) => {
    expect(() => parseChange(form, body, id)).toThrow(expect.objectContaining({ code: 'validation_failed' }));
  });

  it('names no _id when several documents are meant', () => {
    expect(() => parseChange('merge', { _id: id }, null)).toThrow(
      expect.objectContaining({ code: 'validation_failed' }),
    );
  });
});
