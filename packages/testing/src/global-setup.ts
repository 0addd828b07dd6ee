/** Vitest's global setup of the `int` project: one Postgres for the run. */
import type { TestProject } from 'vitest/node';
import { startTestPostgres, type TestPostgres } from './test-postgres.js';

declare module 'vitest' {
  interface ProvidedContext {
    testPostgres: TestPostgres;
  }
}

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const postgres = await startTestPostgres(process.env.TEST_DATABASE_URL);
  project.provide('testPostgres', { admin: postgres.admin, template: postgres.template });
  return () => postgres.stop();
}
