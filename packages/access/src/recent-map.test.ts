import { expect, it } from 'vitest';
import { createRecentMap } from './recent-map.js';

it('keeps what is used and forgets what is not, in bounded room', () => {
  const map = createRecentMap<number, string>(10);
  for (let key = 0; key < 1_000; key += 1) {
    map.set(key, 'x');
    expect(map.get(0)).toBe('x');
  }
  const left = Array.from({ length: 1_000 }, (_, key) => map.get(key)).filter((value) => value !== undefined);
  expect(left.length).toBeLessThanOrEqual(20);
});

it('forgets what is deleted, in both generations', () => {
  const map = createRecentMap<string, number>(1);
  map.set('a', 1);
  map.set('b', 2);
  map.delete('a');
  map.delete('b');
  expect([map.get('a'), map.get('b')]).toEqual([undefined, undefined]);
});
