import { expect, it } from 'vitest';
import { throughOutages } from './through-outages.js';

const log = { info: () => undefined, warn: () => undefined };

/** Fails with these errors, one a time, and then succeeds. */
function failing(...errors: Error[]) {
  let tries = 0;
  const step = async () => {
    const error = errors[tries];
    tries += 1;
    if (error !== undefined) throw error;
    return tries;
  };
  return step;
}

const withCode = (code: string) => Object.assign(new Error(code), { code });

it('carries a step of the start on when Postgres ends its connection, is away, or starts up', async () => {
  expect(await throughOutages(failing(withCode('57P01'), withCode('P1017'), withCode('57P03')), { log })).toBe(4);
});

it('fails at once on an error that does not pass', async () => {
  const step = failing(withCode('42P01'), withCode('57P01'));
  await expect(throughOutages(step, { log })).rejects.toThrow('42P01');
});

it('gives up when Postgres stays away', async () => {
  const always = async () => {
    throw withCode('ECONNREFUSED');
  };
  await expect(throughOutages(always, { log, forMs: 100 })).rejects.toThrow('ECONNREFUSED');
});
