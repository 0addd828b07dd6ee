import { expect, it } from 'vitest';
import { linkFiles, linkTo } from './link-ids.js';

it('every part of a path is encoded', () => {
  expect(linkTo('https://api.example:8443', 'media', 'a b/?#.pdf')).toBe(
    'https://api.example:8443/media/a%20b%2F%3F%23.pdf',
  );
});

it('ids in file fields become links, alone or in an array; URLs and what is no text stay', () => {
  const document = { _id: '1', photo: 'x', papers: ['y', 'https://elsewhere.example/z', null, 5, ''], other: 'x' };
  expect(linkFiles(document, new Set(['photo', 'papers', 'none']), (id) => `/${id}`)).toEqual({
    _id: '1',
    photo: '/x',
    papers: ['/y', 'https://elsewhere.example/z', null, 5, ''],
    other: 'x',
  });
});
