import { expect, test } from 'vitest';
import {
  addDraft,
  createGrantEditor,
  describeGrant,
  readDraft,
  removeGrant,
  settleGrants,
  suggestNames,
  toggleMethod,
} from './grant-editor.js';

function typing(kind: 'rest' | 'listen' | 'publish', draft: string, methods?: string[]) {
  const editor = createGrantEditor(kind, []);
  return { ...editor, draft, methods: methods ?? editor.methods };
}

test('a whole grant is taken as it stands, and its method may be typed small', () => {
  expect(addDraft(typing('listen', 'POST:company')).grants).toEqual(['POST:company']);
  expect(addDraft(typing('rest', 'get:company')).grants).toEqual(['GET:company']);
  expect(addDraft(typing('listen', 'PUBLISH:chat.*')).grants).toEqual(['PUBLISH:chat.*']);
  expect(addDraft(typing('publish', 'chat:room')).grants).toEqual(['chat:room']);
});

test('a name alone takes each method that is on', () => {
  expect(addDraft(typing('rest', 'company', ['GET', 'POST'])).grants).toEqual(['GET:company', 'POST:company']);
  expect(addDraft(typing('listen', '*', ['*'])).grants).toEqual(['*:*']);
});

test('several grants come in at once, and none comes twice', () => {
  const editor = { ...typing('rest', 'GET:a, GET:b GET:a', ['GET']), grants: ['GET:b'] };
  expect(addDraft(editor)).toMatchObject({ grants: ['GET:b', 'GET:a'], draft: '' });
});

test('PATCH is heard as PUT, as the protocol reads it', () => {
  expect(addDraft(typing('listen', 'patch:company')).grants).toEqual(['PUT:company']);
});

test('what is no grant stays in the field, is named with its rule and keeps the list from being settled', () => {
  const editor = typing('listen', 'POST:company SING:company');
  expect(readDraft(editor)).toMatchObject({
    outcome: 'bad',
    word: 'SING:company',
    allowed: expect.stringContaining('PUBLISH'),
  });
  expect(addDraft(editor)).toBe(editor);
  expect(settleGrants(editor)).toBeNull();
});

test('a list is settled with what is still in the field', () => {
  expect(settleGrants({ ...typing('publish', 'goal'), grants: ['chat.*'] })).toEqual(['chat.*', 'goal']);
  expect(settleGrants({ ...typing('publish', '  '), grants: ['chat.*'] })).toEqual(['chat.*']);
});

test('* is on alone, and one method always stays on', () => {
  const all = toggleMethod(createGrantEditor('rest', []), '*');
  expect(all.methods).toEqual(['*']);
  expect(toggleMethod(all, 'POST').methods).toEqual(['POST']);
  expect(toggleMethod(toggleMethod(all, 'POST'), 'POST').methods).toEqual(['POST']);
  expect(toggleMethod(createGrantEditor('rest', []), 'POST').methods).toEqual(['GET', 'POST']);
});

test('a removed grant is gone and the others keep their order', () => {
  expect(removeGrant(createGrantEditor('rest', ['GET:a', 'GET:b', 'GET:c']), 'GET:b').grants).toEqual([
    'GET:a',
    'GET:c',
  ]);
});

test('suggestions follow what is typed, with the method and the grants in front of it', () => {
  expect(suggestNames(typing('rest', 'comp'), ['company', 'order'])).toEqual([{ name: 'company', draft: 'company' }]);
  expect(suggestNames(typing('rest', 'GET:a, post:'), ['company'])).toEqual([
    { name: 'company', draft: 'GET:a, POST:company' },
    { name: '*', draft: 'GET:a, POST:*' },
  ]);
});

test('names of custom events are not guessed from the collections', () => {
  expect(suggestNames(typing('listen', 'PUBLISH:c'), ['company'])).toEqual([]);
  expect(suggestNames(typing('listen', '', ['PUBLISH']), ['company'])).toEqual([]);
  expect(suggestNames(typing('publish', 'c'), ['company'])).toEqual([]);
});

test('every grant can be said in words', () => {
  expect(describeGrant('rest', 'GET:*')).toBe('read every collection');
  expect(describeGrant('listen', 'POST:company')).toBe('hear what is created in company');
  expect(describeGrant('listen', '*:*')).toBe('hear everything');
  expect(describeGrant('listen', 'PUBLISH:chat.*')).toBe('hear custom events that begin with chat.');
  expect(describeGrant('publish', '*')).toBe('publish every custom event');
});
