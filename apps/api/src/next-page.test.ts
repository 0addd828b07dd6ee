import { expect, it } from 'vitest';
import { nextPageQuery } from './next-page.js';

it('asks for the same with the cursor in the place of skip, and without the key', () => {
  const query = 'q=%7B%22a%22%3A1%7D&skip=20&max=10&apikey=secret&token=secret&sort=a&sort=b&cursor=old';
  expect([...new URLSearchParams(nextPageQuery(query, 'new'))]).toEqual([
    ['q', '{"a":1}'],
    ['max', '10'],
    ['sort', 'a'],
    ['sort', 'b'],
    ['cursor', 'new'],
  ]);
});

it('takes $skip out of the hints and leaves the others', () => {
  const query = new URLSearchParams({ h: '{"$skip":5,"$max":2}' }).toString();
  expect(new URLSearchParams(nextPageQuery(query, 'c')).get('h')).toBe('{"$max":2}');
});

it('lets nothing out of the query end the link', () => {
  expect(nextPageQuery('q=%7B%22a%22%3A%22%3E%0D%0Ax%22%7D', 'c')).not.toMatch(/[<>\r\n]/);
});
