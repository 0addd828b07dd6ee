import { expect, it } from 'vitest';
import { createSemaphore } from './semaphore.js';

it('runs no more than its places at a time, lets the others wait in order, and turns away what is beyond', async () => {
  const semaphore = createSemaphore(2, 3);
  const begun: number[] = [];
  const finish: (() => void)[] = [];
  let running = 0;
  let most = 0;
  const work = (n: number) => () =>
    new Promise<number>((resolve) => {
      begun.push(n);
      running += 1;
      most = Math.max(most, running);
      finish.push(() => {
        running -= 1;
        resolve(n);
      });
    });
  const all = Array.from({ length: 6 }, (_, n) => semaphore.run(work(n)));
  expect(await all[5]).toEqual({ status: 'full' });
  for (let n = 0; n < 5; n += 1) {
    await new Promise((resolve) => setImmediate(resolve));
    finish[n]?.();
  }
  expect(await Promise.all(all.slice(0, 5))).toEqual([0, 1, 2, 3, 4].map((value) => ({ status: 'done', value })));
  expect(begun).toEqual([0, 1, 2, 3, 4]);
  expect(most).toBe(2);
});

it('gives the place back when the work fails', async () => {
  const semaphore = createSemaphore(1, 0);
  await expect(semaphore.run(() => Promise.reject(new Error('no')))).rejects.toThrow('no');
  expect(await semaphore.run(async () => 1)).toEqual({ status: 'done', value: 1 });
});
