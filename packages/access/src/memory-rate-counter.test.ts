import { expect, it } from 'vitest';
import { createMemoryRateCounter } from './memory-rate-counter.js';
import { rateCounterContract } from './rate-counter.contract.js';

rateCounterContract('the counter in memory', async () => {
  const counter = createMemoryRateCounter({ now: Date.now });
  return [counter, counter];
});

it('keeps ten thousand subjects apart', () => {
  const counter = createMemoryRateCounter({ now: () => 0 });
  for (let round = 1; round <= 3; round += 1)
    for (let n = 0; n < 10_000; n += 1) expect(counter.hit(`key:${n}`).hits).toBe(round);
});
