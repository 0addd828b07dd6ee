import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { createEventStream, type EventSourceLike } from './event-stream.js';

class FakeSource implements EventSourceLike {
  readyState = 0;
  isClosed = false;
  readonly since: number;
  readonly #listeners = new Map<string, ((event: MessageEvent<string>) => void)[]>();

  constructor(since: number) {
    this.since = since;
  }

  addEventListener(type: string, listener: (event: MessageEvent<string>) => void) {
    this.#listeners.set(type, [...(this.#listeners.get(type) ?? []), listener]);
  }

  close() {
    this.isClosed = true;
    this.readyState = 2;
  }

  fire(type: string, data = '', lastEventId = '') {
    for (const listener of this.#listeners.get(type) ?? []) listener({ data, lastEventId } as MessageEvent<string>);
  }

  log(id: number) {
    this.fire('log', JSON.stringify(event(id)), String(id));
  }

  refuse() {
    this.readyState = 2;
    this.fire('error');
  }
}

function event(id: number) {
  return {
    id,
    type: 'post',
    collection: 'company',
    documentId: '577cf185e2039b0900000016',
    name: null,
    data: {},
    actor: 'key:a',
    operationId: 'o',
    at: '2026-03-03T12:00:00Z',
  };
}

function listen(options: { isSignedOut?: boolean } = {}) {
  const sources: FakeSource[] = [];
  const ids: number[] = [];
  const stream = createEventStream({
    since: 10,
    random: () => 1,
    isSignedOut: async () => options.isSignedOut ?? false,
    openSource: (since) => {
      const source = new FakeSource(since);
      sources.push(source);
      return source;
    },
  });
  stream.onEvents((events) => ids.push(...events.map(({ id }) => id)));
  const last = () => sources.at(-1) ?? expect.fail('no source was opened');
  return { stream, sources, ids, last };
}

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

test('events come in batches, in order, each once, whatever the server repeats', () => {
  const { stream, ids, last } = listen();
  for (const id of [11, 12, 12, 9, 13]) last().log(id);
  expect(ids).toEqual([]);
  vi.advanceTimersByTime(100);
  last().log(13);
  last().log(14);
  vi.advanceTimersByTime(100);
  expect(ids).toEqual([11, 12, 13, 14]);
  stream.close();
});

test('the cursor moves with what listeners were given, not with what was received', () => {
  const { stream, last } = listen();
  last().log(11);
  expect(stream.cursor()).toBe(10);
  vi.advanceTimersByTime(100);
  expect(stream.cursor()).toBe(11);
  stream.close();
});

test('a line that goes silent is opened again from the last id', async () => {
  const { stream, sources, last } = listen();
  last().fire('open');
  last().log(11);
  await vi.advanceTimersByTimeAsync(24_000);
  expect(sources).toHaveLength(1);
  last().fire('ping');
  await vi.advanceTimersByTimeAsync(24_000);
  expect(stream.getState()).toEqual({ status: 'open' });
  await vi.advanceTimersByTimeAsync(2_000);
  expect(sources.map(({ since, isClosed }) => ({ since, isClosed }))).toEqual([
    { since: 10, isClosed: true },
    { since: 11, isClosed: false },
  ]);
  stream.close();
});

test('a refused line waits and tries again, and an old source is not listened to any more', async () => {
  const { stream, sources, ids, last } = listen();
  last().refuse();
  await vi.advanceTimersByTimeAsync(0);
  expect(stream.getState()).toEqual({ status: 'retrying', attempt: 1 });
  await vi.advanceTimersByTimeAsync(500);
  expect(sources).toHaveLength(2);
  sources[0]?.log(99);
  last().fire('open');
  last().log(11);
  await vi.advanceTimersByTimeAsync(100);
  expect(ids).toEqual([11]);
  expect(stream.getState()).toEqual({ status: 'open' });
  stream.close();
});

test('a refusal because the session is over ends the stream for good', async () => {
  const { stream, sources, last } = listen({ isSignedOut: true });
  last().refuse();
  await vi.advanceTimersByTimeAsync(60_000);
  expect(stream.getState()).toEqual({ status: 'ended' });
  expect(sources).toHaveLength(1);
});

test('while the browser retries by itself no second line is opened', async () => {
  const { stream, sources, last } = listen();
  last().fire('open');
  last().readyState = 0;
  last().fire('error');
  await vi.advanceTimersByTimeAsync(10_000);
  expect(stream.getState()).toEqual({ status: 'retrying', attempt: 1 });
  expect(sources).toHaveLength(1);
  stream.close();
});

test('a reset is told and takes the new cursor, even when it is lower', () => {
  const { stream, ids, last } = listen();
  const onReset = vi.fn();
  stream.onReset(onReset);
  last().fire('reset', '{}', '3');
  last().log(4);
  vi.advanceTimersByTime(100);
  expect(onReset).toHaveBeenCalledOnce();
  expect(ids).toEqual([4]);
  stream.close();
});
