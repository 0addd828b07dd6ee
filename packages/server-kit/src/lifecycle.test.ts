import { EventEmitter } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { createLifecycle, exitOnSignals } from './lifecycle.js';

function createLog() {
  const lines: string[] = [];
  const keep = (_fields: object, message: string) => lines.push(message);
  return { lines, log: { info: keep, warn: keep, error: keep } };
}

test('what was started last is stopped first, one after the other', async () => {
  const order: string[] = [];
  const lifecycle = createLifecycle(createLog().log);
  for (const name of ['postgres', 'pool', 'server']) {
    lifecycle.defer(name, async () => {
      order.push(`${name} stops`);
      await delay(5);
      order.push(`${name} is down`);
    });
  }
  expect(await lifecycle.stop('test')).toEqual({ clean: true });
  expect(order.filter((line) => line.endsWith('stops'))).toEqual(['server stops', 'pool stops', 'postgres stops']);
  expect(order[1]).toBe('server is down');
});

test('(1) a second stop waits for the first, and nothing is stopped twice', async () => {
  let stops = 0;
  const lifecycle = createLifecycle(createLog().log);
  lifecycle.defer('one', () => delay(5).then(() => stops++));
  await Promise.all([lifecycle.stop('a'), lifecycle.stop('b')]);
  expect(stops).toBe(1);
});

test('(1) what is started after the end has begun is stopped, too', async () => {
  const stopped: string[] = [];
  const lifecycle = createLifecycle(createLog().log);
  lifecycle.defer('early', () => delay(10).then(() => stopped.push('early')));
  const end = lifecycle.stop('test');
  lifecycle.defer('late', () => stopped.push('late'));
  await end;
  expect(stopped).toEqual(['early', 'late']);
});

test('(2) a step that fails or hangs is logged and the rest is stopped', async () => {
  const { log, lines } = createLog();
  const stopped: string[] = [];
  const lifecycle = createLifecycle(log);
  lifecycle.defer('last', () => stopped.push('last'));
  lifecycle.defer('broken', () => Promise.reject(new Error('x')));
  lifecycle.defer('hanging', () => new Promise(() => undefined), { limitMs: 20 });
  expect(await lifecycle.stop('test')).toEqual({ clean: false });
  expect(stopped).toEqual(['last']);
  expect(lines).toEqual(['Stopping.', expect.stringContaining('hanging took more'), 'Stopping broken failed.']);
});

test('one signal ends with 0, its echo is ignored, a later one leaves at once', async () => {
  const { log } = createLog();
  const source = new EventEmitter();
  const codes: number[] = [];
  let time = 0;
  let release = () => {};
  const lifecycle = createLifecycle(log);
  lifecycle.defer('slow', () => new Promise<void>((resolve) => (release = resolve)));
  exitOnSignals(source, lifecycle, { exit: (code) => codes.push(code), log, now: () => time });
  source.emit('SIGINT', 'SIGINT');
  time = 300;
  source.emit('SIGINT', 'SIGINT');
  expect(codes).toEqual([]);
  time = 2_000;
  source.emit('SIGTERM', 'SIGTERM');
  expect(codes).toEqual([130]);
  await delay(1);
  release();
  await delay(5);
  expect(codes).toEqual([130, 0]);
});
