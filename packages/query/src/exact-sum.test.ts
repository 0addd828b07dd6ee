import { describe, expect, it } from 'vitest';
import { ExactSum, readSum } from './exact-sum.js';
import { createRandom, numbers, pick, times } from './random.fixture.js';

describe('a sum', () => {
  const sum = (numbers: readonly number[]) => {
    const exact = new ExactSum();
    for (const number of numbers) exact.add(number);
    return readSum(String(exact));
  };
  it('does not depend on the order of its terms', () => {
    expect(sum([1e300, 1, -1e300])).toBe(1);
    expect(sum(times(10, () => 0.1))).toBe(1);
    expect(sum([5e-324, 1.7976931348623157e308, -1.7976931348623157e308])).toBe(5e-324);
    expect(sum([-0.5, -1e21, 2.5e-7])).toBe(-1e21);
    expect(sum([])).toBe(0);
  });
  it('beyond a double is null', () => {
    expect(sum([1.7976931348623157e308, 1.7976931348623157e308])).toBeNull();
  });
  it('of random numbers in any order is the same (seed 7)', () => {
    const random = createRandom(7);
    for (let round = 0; round < 200; round += 1) {
      const terms = times(20, () =>
        random() < 0.5 ? pick(random, numbers) : (random() - 0.5) * 10 ** (random() * 40 - 20),
      );
      expect(sum([...terms].sort((a, b) => a - b))).toBe(sum(terms));
    }
  });
});
