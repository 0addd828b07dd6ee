import type { LogEvent } from '@tidewire/change-log/log-event';
import { createRandom } from '@tidewire/query/random.fixture';
import { expect, test } from 'vitest';
import { changeOf, type PageAsked, Table } from './live.fixture.js';
import { LiveState } from './live-state.js';

const { env } = process;
const seed = Number(env.SEED ?? 7);
const steps = Number(env.STEPS ?? 20_000);

const bodyOf = (table: Table, asked: PageAsked, state: LiveState) =>
  table.source(asked).bodyOf(state.page(), state.total);

test(`is the result after the last event it knows of, whenever it is ready, over ${steps} random steps (1, 2, 3) (seed ${seed})`, async () => {
  const random = createRandom(seed);
  const below = (bound: number) => Math.floor(random() * bound);
  let compared = 0;
  let reads = 0;
  for (let done = 0; done < steps; ) {
    const asked: PageAsked = {
      skip: below(2) * below(5),
      max: 1 + below(6),
      totals: random() < 0.5,
      ...(random() < 0.6 ? { q: { kind: below(2) } } : {}),
    };
    const table = new Table();
    const state = new LiveState(table.source(asked));
    /** Events that were written and not offered yet: a process sees them later. */
    const late: LogEvent[] = [];
    let offered = 0;
    let reading: { rows: ReturnType<ReturnType<Table['source']>['read']> } | null = null;
    for (let step = 0; step < 200; step += 1, done += 1) {
      const kind = random();
      const id = `d${below(25)}`;
      if (kind < 0.45) late.push(table.write(id, random() < 0.25 ? null : { n: below(12), kind: below(2) }));
      else if (kind < 0.85) {
        const event = late.shift();
        if (event !== undefined) {
          state.offer(changeOf(event));
          offered = event.id;
        }
      } else if (kind < 0.87) {
        // What was lost is behind us all the same.
        state.forget();
        offered = Math.max(offered, late.splice(0, below(4)).at(-1)?.id ?? 0);
      } else if (reading !== null) {
        state.take(await reading.rows);
        reading = null;
      } else if (!state.isReady) {
        state.beginRead();
        reading = { rows: table.source(asked).read(state.wanted) };
        // What was read may be older than what is offered meanwhile, or newer.
        if (random() < 0.5) await reading.rows;
        reads += 1;
      }
      if (!state.isReady) continue;
      compared += 1;
      const at = Math.max(offered, state.readAt);
      expect(bodyOf(table, asked, state), `seed ${seed}, step ${done}`).toBe(table.body(asked, at));
    }
  }
  expect(compared).toBeGreaterThan(steps / 4);
  expect(reads).toBeLessThan(steps / 10);
}, 60_000);

test('drops what waits beyond its limit, and then does not take the read for the state (3)', async () => {
  const table = new Table();
  const state = new LiveState(table.source());
  state.beginRead();
  const read = await table.source().read(state.wanted);
  for (let n = 0; n < 1_001; n += 1) state.offer(changeOf(table.write(`d${n}`, { n })));
  state.take(read);
  expect(state.isReady).toBe(false);
  state.beginRead();
  state.take(await table.source().read(state.wanted));
  expect(bodyOf(table, {}, state)).toBe(table.body({}));
});

test('does not take a read that was under way when events were lost (4)', async () => {
  const table = new Table();
  const state = new LiveState(table.source());
  state.beginRead();
  const read = await table.source().read(state.wanted);
  table.write('lost', { n: 1 });
  state.forget();
  state.offer(changeOf(table.write('heard', { n: 2 })));
  state.take(read);
  expect(state.isReady).toBe(false);
  state.beginRead();
  state.take(await table.source().read(state.wanted));
  expect(state.page().map(({ id }) => id)).toEqual(['lost', 'heard']);
});

test('knows why a document is not on the page any more', async () => {
  const table = new Table();
  const asked = { q: { kind: 1 }, max: 2 };
  for (const n of [1, 2, 3, 4]) table.write(`d${n}`, { n, kind: 1 });
  const state = new LiveState(table.source(asked));
  state.beginRead();
  state.take(await table.source(asked).read(state.wanted));
  state.offer(changeOf(table.write('d1', null)));
  state.offer(changeOf(table.write('d2', { n: 2, kind: 0 })));
  state.offer(changeOf(table.write('d0', { n: 0, kind: 1 })));
  state.offer(changeOf(table.write('d00', { n: 0, kind: 1 })));
  expect(state.page().map(({ id }) => id)).toEqual(['d0', 'd00']);
  expect(['d1', 'd2', 'd3'].map((id) => state.reasonOf(id))).toEqual(['delete', 'change', 'window']);
});
