import { expect, it } from 'vitest';
import { Outbox } from './outbox.js';

const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

/** A sender that keeps the processor for so long. */
function senderOf(name: number, sent: number[], ms = 0) {
  return {
    send() {
      const until = performance.now() + ms;
      while (performance.now() < until);
      sent.push(name);
    },
  };
}

it('sends nothing at once, and then all in the order in which it was added, what comes meanwhile too (1, 2)', async () => {
  const outbox = new Outbox();
  const sent: number[] = [];
  const many = 10_000;
  for (let name = 0; name < many; name += 1) outbox.add(senderOf(name, sent));
  outbox.add({ send: () => outbox.add(senderOf(many, sent)) });
  expect(sent).toEqual([]);
  expect(outbox.isBusy).toBe(true);
  await new Promise<void>((resolve) => outbox.whenIdle(resolve));
  expect(sent).toEqual(Array.from({ length: many + 1 }, (_, name) => name));
  expect(outbox.isBusy).toBe(false);
});

it('lets the event loop have its turn between slices (2)', async () => {
  const outbox = new Outbox();
  const sent: number[] = [];
  for (let name = 0; name < 320; name += 1) outbox.add(senderOf(name, sent, 0.2));
  const seen: number[] = [];
  while (outbox.isBusy) {
    await turn();
    seen.push(sent.length);
  }
  expect(seen.at(-1)).toBe(320);
  // 16 senders take 3.2 ms, so each slice is one stride.
  expect(seen.length).toBeGreaterThan(10);
});

it('calls back when it is idle, at the next turn when it is so already', async () => {
  const outbox = new Outbox();
  let calls = 0;
  outbox.whenIdle(() => {
    calls += 1;
  });
  expect(calls).toBe(0);
  await turn();
  expect(calls).toBe(1);
});
