import type { JsonObject, JsonValue } from '@tidewire/protocol/json';
import { describe, expect, it } from 'vitest';
import { parseJsonPatch } from './json-patch.js';

/** The code of the refusal, and the place that it names. */
function refusalOf(run: () => unknown): string[] {
  try {
    run();
  } catch (error) {
    const { code, errors } = error as { code: string; errors: { field: string }[] };
    return [code, ...errors.map(({ field }) => field)];
  }
  return ['accepted'];
}

describe('JSON Patch', () => {
  it.each<[string, JsonObject, JsonValue[], JsonObject]>([
    ['A.1', { foo: 'bar' }, [{ op: 'add', path: '/baz', value: 'qux' }], { baz: 'qux', foo: 'bar' }],
    ['A.2', { foo: ['bar', 'baz'] }, [{ op: 'add', path: '/foo/1', value: 'qux' }], { foo: ['bar', 'qux', 'baz'] }],
    ['A.3', { baz: 'qux', foo: 'bar' }, [{ op: 'remove', path: '/baz' }], { foo: 'bar' }],
    ['A.4', { foo: ['bar', 'qux', 'baz'] }, [{ op: 'remove', path: '/foo/1' }], { foo: ['bar', 'baz'] }],
    ['A.5', { baz: 'qux', foo: 'bar' }, [{ op: 'replace', path: '/baz', value: 'boo' }], { baz: 'boo', foo: 'bar' }],
    [
      'A.6',
      { foo: { bar: 'baz', waldo: 'fred' }, qux: { corge: 'grault' } },
      [{ op: 'move', from: '/foo/waldo', path: '/qux/thud' }],
      { foo: { bar: 'baz' }, qux: { corge: 'grault', thud: 'fred' } },
    ],
    [
      'A.7',
      { foo: ['all', 'grass', 'cows', 'eat'] },
      [{ op: 'move', from: '/foo/1', path: '/foo/3' }],
      { foo: ['all', 'cows', 'eat', 'grass'] },
    ],
    [
      'A.8',
      { baz: 'qux', foo: ['a', 2, 'c'] },
      [
        { op: 'test', path: '/baz', value: 'qux' },
        { op: 'test', path: '/foo/1', value: 2 },
      ],
      { baz: 'qux', foo: ['a', 2, 'c'] },
    ],
    [
      'A.10',
      { foo: 'bar' },
      [{ op: 'add', path: '/child', value: { grandchild: {} } }],
      { foo: 'bar', child: { grandchild: {} } },
    ],
    ['A.11', { foo: 'bar' }, [{ op: 'add', path: '/baz', value: 'qux', xyz: 123 }], { foo: 'bar', baz: 'qux' }],
    ['A.14', { '/': 9, '~1': 10 }, [{ op: 'test', path: '/~01', value: 10 }], { '/': 9, '~1': 10 }],
    [
      'A.16',
      { foo: ['bar'] },
      [{ op: 'add', path: '/foo/-', value: ['abc', 'def'] }],
      { foo: ['bar', ['abc', 'def']] },
    ],
    ['a copy', { a: { b: 1 } }, [{ op: 'copy', from: '/a', path: '/c' }], { a: { b: 1 }, c: { b: 1 } }],
    ['the whole document', { a: 1 }, [{ op: 'replace', path: '', value: { b: 2 } }], { b: 2 }],
  ])('does what RFC 6902 does in %s', (_name, document, patch, result) => {
    const before = JSON.stringify(document);
    expect(parseJsonPatch(patch)(document)).toEqual(result);
    expect(JSON.stringify(document)).toBe(before);
  });

  it.each<[string, JsonObject, JsonValue[], string[]]>([
    ['A.9, a failed test', { baz: 'qux' }, [{ op: 'test', path: '/baz', value: 'bar' }], ['conflict', '/0']],
    [
      'A.12, a missing parent',
      { foo: 'bar' },
      [{ op: 'add', path: '/baz/bat', value: 'qux' }],
      ['validation_failed', '/0/path'],
    ],
    ['A.15, a text for a number', { '~1': 10 }, [{ op: 'test', path: '/~01', value: '10' }], ['conflict', '/0']],
    ['removing nothing', {}, [{ op: 'remove', path: '/a' }], ['validation_failed', '/0/path']],
    ['replacing nothing', {}, [{ op: 'replace', path: '/toString', value: 1 }], ['validation_failed', '/0/path']],
    ['an index behind the end', { l: [] }, [{ op: 'add', path: '/l/1', value: 1 }], ['validation_failed', '/0/path']],
    [
      'an index with a zero in front',
      { l: [1, 2] },
      [{ op: 'remove', path: '/l/01' }],
      ['validation_failed', '/0/path'],
    ],
    ['no document left', { a: 1 }, [{ op: 'replace', path: '', value: 1 }], ['validation_failed', '']],
    [
      'a metafield in the new document',
      {},
      [{ op: 'add', path: '', value: { _id: 'x' } }],
      ['validation_failed', '/_id'],
    ],
  ])('refuses %s', (_name, document, patch, refusal) => {
    expect(refusalOf(() => parseJsonPatch(patch)(document))).toEqual(refusal);
  });

  it.each<[string, JsonValue, string]>([
    ['an object', { op: 'add' }, ''],
    ['A.13, an unknown operation', [{ op: 'spam', path: '/a' }], '/0/op'],
    ['an operation that is none', [1], '/0'],
    ['no path', [{ op: 'remove' }], '/0/path'],
    ['a path without a slash', [{ op: 'remove', path: 'a' }], '/0/path'],
    ['a broken escape', [{ op: 'remove', path: '/a~2' }], '/0/path'],
    ['no value', [{ op: 'add', path: '/a' }], '/0/value'],
    ['no from', [{ op: 'copy', path: '/a' }], '/0/from'],
    ['a move into itself', [{ op: 'move', from: '/a', path: '/a/b' }], '/0/path'],
    ['__proto__', [{ op: 'add', path: '/__proto__/polluted', value: 1 }], '/0/path'],
    ['a metafield', [{ op: 'replace', path: '/_version', value: 1 }], '/0/path'],
    ['an operator in a value', [{ op: 'add', path: '/a', value: [{ $gt: 1 }] }], '/0/value/0/$gt'],
  ])('refuses %s before it sees a document, and names the place', (_name, patch, place) => {
    expect(refusalOf(() => parseJsonPatch(patch))).toEqual(['validation_failed', place]);
  });

  it('refuses many operations on a long array', () => {
    const patch = Array.from({ length: 1_000 }, () => ({ op: 'add', path: '/l/0', value: 1 }));
    expect(refusalOf(() => parseJsonPatch(patch)({ l: Array(1_000_000).fill(0) }))[0]).toBe('validation_failed');
    expect(parseJsonPatch(patch)({ l: Array(1_000).fill(0) })).toMatchObject({ l: { length: 2_000 } });
  });

  it('refuses copies of copies, which would fill the memory', () => {
    const double: JsonValue[] = [
      { op: 'copy', from: '/a', path: '/b' },
      { op: 'replace', path: '/a', value: [] },
      { op: 'copy', from: '/b', path: '/a/0' },
      { op: 'copy', from: '/b', path: '/a/1' },
      { op: 'remove', path: '/b' },
    ];
    const patch = Array.from({ length: 40 }, () => double).flat();
    expect(refusalOf(() => parseJsonPatch(patch)({ a: 'x' }))[0]).toBe('validation_failed');
  });
});
