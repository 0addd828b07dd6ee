import { describe, expect, it } from 'vitest';
import { parseChange } from './document-change.js';
import { isChildOf, parentOf, withParent } from './parent-link.js';

const id = '577cf185e2039b0900000016';
const link = { collection: 'contacts', id, field: 'activities' };
const stored = { n: 1, _parent_id: id, _parent_def: 'contacts', _parent_field: 'activities' };

it('a document is a child by all three fields', () => {
  expect(parentOf(stored)).toEqual(link);
  expect(isChildOf(stored, link)).toBe(true);
  for (const other of [{ _parent_id: 'x' }, { _parent_def: 1 }, { _parent_def: 'no name' }, { _parent_field: null }])
    expect(parentOf({ ...stored, ...other })).toBeNull();
  for (const other of [{ id: id.replace('5', '6') }, { collection: 'others' }, { field: 'x' }])
    expect(isChildOf(stored, { ...link, ...other })).toBe(false);
});

it('the fields of the link stand behind the document’s own', () => {
  expect(JSON.stringify(withParent({ _parent_id: 'lie', n: 1 }, link))).toBe(JSON.stringify(stored));
  const fields = { n: 1 };
  expect(withParent(fields, undefined)).toBe(fields);
});

describe('no form of a change touches the link', () => {
  const lie = { _parent_id: 'x', _parent_def: 'y', _parent_field: 'z' };
  const at = { id, body: '', version: 0, createdAt: '', changedAt: '', createdBy: '', changedBy: '' };
  it.each([
    ['merge', { m: 2, ...lie }, { n: 1, m: 2 }],
    ['replace', { m: 2, ...lie }, { m: 2 }],
    ['merge-patch', { n: null, m: 2, ...lie }, { m: 2 }],
    ['json-patch', [{ op: 'add', path: '', value: { m: 2 } }], { m: 2 }],
    ['json-patch', [{ op: 'add', path: '/m', value: 2 }], { n: 1, m: 2 }],
  ] as const)('%s', (form, body, own) => {
    expect(parseChange(form, structuredClone(body) as never, id)(stored, at)).toEqual(withParent({ ...own }, link));
  });
});
