import { expect, it } from 'vitest';
import { problemOfDatabaseFailure } from './database-problem.js';

function failure(code: string): Error {
  return Object.assign(new Error('connect ECONNREFUSED 10.0.0.1:5432'), { code });
}

it.each(['P1001', 'P1017', 'P2024', 'ECONNREFUSED', '57P01', '08006'])(
  'tells %s as unavailable, without internals',
  (code) => {
    const problem = problemOfDatabaseFailure(failure(code));
    expect(problem).toMatchObject({ code: 'unavailable', headers: { 'Retry-After': expect.any(String) } });
    expect(problem?.detail).not.toContain('10.0.0.1');
  },
);

it.each(['57P01', '57P03', '53300'])('tells %s as unavailable when it comes by way of Prisma, too', (originalCode) => {
  const meta = { driverAdapterError: { name: 'DriverAdapterError', cause: { kind: 'postgres', originalCode } } };
  expect(problemOfDatabaseFailure(Object.assign(failure('P2039'), { meta }))).toMatchObject({ code: 'unavailable' });
});

it.each([failure('P2002'), failure('P2025'), new TypeError('x'), null, 'text'])(
  'leaves %s to be an accident',
  (error) => {
    expect(problemOfDatabaseFailure(error)).toBeNull();
  },
);
