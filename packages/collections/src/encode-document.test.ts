import type { StoredDocument } from '@tidewire/change-log/document-writes';
import { describe, expect, it } from 'vitest';
import { encodeDocument, encodeWithMetafields, findKeywords, keywordsLimit } from './encode-document.js';

function stored(fields: object): StoredDocument {
  const at = '2030-01-02T03:04:05.678Z';
  const body = JSON.stringify(fields);
  return {
    id: '577cf185e2039b0900000016',
    body,
    version: 3,
    createdAt: at,
    changedAt: at,
    createdBy: 'api',
    changedBy: 'a"b@example.org',
  };
}

describe('a document in an answer', () => {
  it('has its _id first and its fields in their order', () => {
    expect(encodeDocument(stored({ z: 1, a: { b: '"' } }))).toBe(
      '{"_id":"577cf185e2039b0900000016","z":1,"a":{"b":"\\""}}',
    );
    expect(encodeDocument(stored({}))).toBe('{"_id":"577cf185e2039b0900000016"}');
  });

  it('has all metafields when asked, also without fields of its own', () => {
    expect(JSON.parse(encodeWithMetafields(stored({ name: 'Ada Ada' })))).toEqual({
      _id: '577cf185e2039b0900000016',
      name: 'Ada Ada',
      _created: '2030-01-02T03:04:05.678Z',
      _changed: '2030-01-02T03:04:05.678Z',
      _createdby: 'api',
      _changedby: 'a"b@example.org',
      _version: 3,
      _keywords: ['ada'],
      _tags: 'ada',
    });
    expect(JSON.parse(encodeWithMetafields(stored({})))).toMatchObject({ _keywords: [], _tags: '' });
  });

  it('has the distinct words of its texts, at any depth, as keywords, and no more than 64', () => {
    expect(findKeywords({ a: 'Über-Größe, 12x', b: [{ c: 'über' }, 'ÑANDÚ 東京'], n: 5, t: true, x: null })).toEqual([
      'über',
      'größe',
      '12x',
      'ñandú',
      '東京',
    ]);
    const many = Array.from({ length: 1_000 }, (_, n) => `w${n}`);
    expect(findKeywords({ a: many.join(' ') })).toEqual(many.slice(0, keywordsLimit));
    expect(findKeywords({ a: 'x'.repeat(1_000_000) })).toEqual([]);
  });
});
