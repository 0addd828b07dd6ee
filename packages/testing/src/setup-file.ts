/** Runs before each test file of the `int` project; its hook is the last of the file. */
import { afterAll, type RunnerTask } from 'vitest';
import { settleTestDatabases } from './test-database.js';

// biome-ignore lint/correctness/noEmptyPattern: vitest hands the fixtures first and wants them destructured.
afterAll(async ({}, suite) => {
  await settleTestDatabases(suite.result?.state === 'fail' || suite.tasks.some(hasFailed));
});

function hasFailed(task: RunnerTask): boolean {
  if (task.result?.state === 'fail') return true;
  return task.type === 'suite' && task.tasks.some(hasFailed);
}
