import type { EmptyingLine } from '@tidewire/protocol/admin-api';
import { expect, test } from 'vitest';
import { CutOffError } from '../../lib/api-error.js';
import { followEmptying } from './empty-collection.js';

const step = (deleted: number): EmptyingLine => ({ deleted, total: 10, eventId: deleted });

async function* answer(...lines: EmptyingLine[]): AsyncGenerator<EmptyingLine, void> {
  yield* lines;
}

test('every step is told, and the last line is the outcome', async () => {
  const told: number[] = [];
  const last = await followEmptying(answer(step(0), step(5), { ...step(10), done: true }), (line) =>
    told.push(line.deleted),
  );
  expect(last).toMatchObject({ done: true, deleted: 10 });
  expect(told).toEqual([0, 5, 10]);
});

test('work that ended early fails with the words of the server', async () => {
  const problem = { code: 'conflict', detail: 'renamed meanwhile', status: 409 };
  const work = followEmptying(answer(step(5), { ...step(5), done: false, problem }), () => {});
  await expect(work).rejects.toMatchObject({ name: 'ApiError', status: 409, detail: 'renamed meanwhile' });
});

test('an answer without its last line is never taken for the whole', async () => {
  for (const lines of [[], [step(5)], [step(10)]])
    await expect(followEmptying(answer(...lines), () => {})).rejects.toBeInstanceOf(CutOffError);
});
