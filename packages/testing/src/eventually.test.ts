import { expect, test } from 'vitest';
import { eventually } from './eventually.js';

test('it returns the first value that comes without an error', async () => {
  let calls = 0;
  const value = await eventually(() => {
    calls += 1;
    if (calls < 3) throw new Error('not yet');
    return calls;
  });
  expect(value).toBe(3);
});

test('when time is up it fails with the last reason', async () => {
  const hopeless = eventually(() => Promise.reject(new Error('never')), { timeoutMs: 30 });
  await expect(hopeless).rejects.toThrow(/within 30 ms.*never/);
});
