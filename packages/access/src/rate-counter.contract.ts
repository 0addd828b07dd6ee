/** The law of rate counters, for each adapter. */
import { describe, expect, it } from 'vitest';
import { type RateCounter, rateWindowMs } from './rate-counter.js';

/** `open` gives two counters that count together, or one twice. */
export function rateCounterContract(name: string, open: () => Promise<[RateCounter, RateCounter]>): void {
  describe(name, () => {
    it('counts each hit of a subject once, whoever counts it, and none of another subject', async () => {
      const [one, other] = await open();
      const subject = `key:${Math.random()}`;
      const counts = await Promise.all(Array.from({ length: 200 }, (_, n) => (n % 2 === 0 ? one : other).hit(subject)));
      const last = await one.hit(subject);
      expect(last.hits).toBe(201);
      expect(counts).toHaveLength(200);
      expect((await other.hit(`${subject}.`)).hits).toBe(1);
      one.close();
      other.close();
    });

    it('says when the minute of a subject is over, which more hits do not put off', async () => {
      const [one, other] = await open();
      const subject = `key:${Math.random()}`;
      const before = Date.now();
      const first = (await one.hit(subject)).resetAt;
      expect(first - before).toBeGreaterThan(rateWindowMs - 1_000);
      expect(first - before).toBeLessThan(rateWindowMs + 1_000);
      for (let time = 0; time < 20; time += 1)
        expect(Math.abs((await other.hit(subject)).resetAt - first)).toBeLessThan(500);
      one.close();
      other.close();
    });
  });
}
