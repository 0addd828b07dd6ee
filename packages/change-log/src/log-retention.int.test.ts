import { databaseSettingsPatchSchema } from '@tidewire/protocol/settings';
import { eventually } from '@tidewire/testing/eventually';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { WriteScope } from './document-writes.js';
import { createEventLog } from './event-log.js';
import { type LaneNode, type LaneNodes, openLaneNodes } from './lane.fixture.js';
import { createLogRetention, type LogRetention, type LogRetentionOptions } from './log-retention.js';

let nodes: LaneNodes;
let node: LaneNode;
let other: LaneNode;
const open: LogRetention[] = [];
const errors: unknown[] = [];

beforeAll(async () => {
  nodes = await openLaneNodes();
  node = nodes.createNode();
  other = nodes.createNode();
});
afterAll(async () => {
  expect(errors).toEqual([]);
  await Promise.all(open.map((one) => one.close()));
  await nodes.close();
});

/** Rounds only when they are asked for, steps of 100 rows, no pause, and nothing is too young. */
function retention(options: Partial<LogRetentionOptions> = {}, on = node): LogRetention {
  const made = createLogRetention({
    pool: on.connections.retentionPool,
    onError: (error) => errors.push(error),
    ...{ intervalMs: 0, stepRows: 100, youngestMs: 0, pause: async () => undefined },
    now: () => Date.now() + 1_000,
    ...options,
  });
  open.push(made);
  return made;
}

async function write(scope: WriteScope, count: number, on = node): Promise<void> {
  const data = Array.from({ length: count }, (_, n) => ({ body: { n, text: 'x'.repeat(n % 200) } }));
  await on.prisma.document.createMany({ scope, collection: 'company', data });
}

/** A log of so many events, with these settings. */
async function createLog(events: number, keep: Record<string, number> = {}): Promise<WriteScope> {
  const scope = await nodes.createScope();
  if (events > 0) await write(scope, events);
  const settings = databaseSettingsPatchSchema.parse({ log: keep });
  await node.connections.prisma.database.update({ where: { id: scope.databaseId }, data: { settings } });
  return scope;
}

const sql = async <T extends object>(text: string, values: unknown[]) =>
  (await node.connections.pool.query<T>(text, values)).rows;

async function stateOf({ databaseId }: WriteScope) {
  const [head] = await createEventLog(node.connections.pool).heads([databaseId]);
  const ids = await sql<{ id: number }>('SELECT id FROM events WHERE database_id = $1 ORDER BY id', [databaseId]);
  const size = await node.connections.prisma.logSize.findUnique({ where: { databaseId } });
  return {
    head: head?.head,
    oldest: head?.oldest,
    ids: ids.map(({ id }) => id),
    bytes: size === null ? null : Number(size.bytes),
  };
}

const idsBetween = (from: number, to: number) =>
  Array.from({ length: Math.max(0, to - from + 1) }, (_, index) => from + index);

/** What the count of this log must be. */
async function countedBytes({ databaseId }: WriteScope): Promise<number> {
  const rows = await sql<{ bytes: number }>(
    `SELECT coalesce(sum(320 + coalesce(pg_column_size(before), 0) + coalesce(pg_column_size(after), 0) + coalesce(pg_column_size(data), 0)), 0)::bigint AS bytes
      FROM events WHERE database_id = $1`,
    [databaseId],
  );
  return rows[0]?.bytes ?? -1;
}

async function setAge({ databaseId }: WriteScope, upTo: number, days: number): Promise<void> {
  await node.connections.lanePool.query(
    `UPDATE events SET at = at - $3::int * interval '1 day' WHERE database_id = $1 AND id <= $2`,
    [databaseId, upTo, days],
  );
}

describe('the retention of event logs', () => {
  it('keeps every event for ever unless the settings say otherwise, and counts what they take', async () => {
    const scope = await createLog(350);
    await retention().run();
    expect(await stateOf(scope)).toEqual({
      head: 350,
      oldest: 1,
      ids: idsBetween(1, 350),
      bytes: await countedBytes(scope),
    });
    await write(scope, 50);
    await retention().run();
    expect((await stateOf(scope)).bytes).toBe(await countedBytes(scope));
  });

  it('keeps the newest events, those of the last days, or so many bytes of them', async () => {
    const byNumber = await createLog(1_234, { keepEvents: 321 });
    const byAge = await createLog(1_000, { keepDays: 7 });
    await setAge(byAge, 600, 8);
    const byBytes = await createLog(1_000, { keepBytes: 100_000 });
    const none = await createLog(0, { keepEvents: 1 });
    expect(await retention().run()).toBeGreaterThan(1_500);
    expect(await stateOf(byNumber)).toMatchObject({ head: 1_234, oldest: 914, ids: idsBetween(914, 1_234) });
    expect(await stateOf(byAge)).toMatchObject({ oldest: 601, ids: idsBetween(601, 1_000) });
    const { oldest, ids, bytes } = await stateOf(byBytes);
    expect(ids).toEqual(idsBetween(Number(oldest), 1_000));
    expect(bytes).toBeLessThanOrEqual(100_000);
    expect(bytes).toBeGreaterThan(99_000);
    for (const one of [byNumber, byAge, byBytes]) expect((await stateOf(one)).bytes).toBe(await countedBytes(one));
    expect(await stateOf(none)).toMatchObject({ head: 0, oldest: 1 });
  });

  it('leaves what is younger than a minute, whatever the settings say', async () => {
    const scope = await createLog(300, { keepEvents: 1 });
    await setAge(scope, 200, 1);
    await retention({ youngestMs: 60_000, now: Date.now }).run();
    expect(await stateOf(scope)).toMatchObject({ oldest: 201, ids: idsBetween(201, 300) });
  });

  it('moves the oldest before it deletes, at most a step at a time', async () => {
    await retention().run();
    const scope = await createLog(450, { keepEvents: 50 });
    const seen: [number, number][] = [];
    const pause = async () => {
      const { oldest, ids } = await stateOf(scope);
      seen.push([Number(oldest), Number(ids[0])]);
    };
    await retention({ pause }).run();
    const steps = [101, 201, 301, 401];
    expect(seen).toEqual(
      steps.flatMap((oldest): [number, number][] => [
        [oldest, oldest - 100],
        [oldest, oldest],
      ]),
    );
  });

  it('holds up no writer, not even while a deletion waits', async () => {
    const scope = await createLog(500, { keepEvents: 100 });
    const holder = await node.connections.pool.connect();
    await holder.query('BEGIN');
    await holder.query('SELECT FROM events WHERE database_id = $1 AND id = 150 FOR UPDATE', [scope.databaseId]);
    const round = retention().run();
    await eventually(async () => expect((await stateOf(scope)).oldest).toBe(201));
    // The deletion of 101 … 200 waits for the row now; writes of both nodes go through.
    for (let count = 0; count < 20; count += 1) await write(scope, 5, count % 2 === 0 ? node : other);
    expect(await stateOf(scope)).toMatchObject({ head: 600, ids: idsBetween(101, 600) });
    await holder.query('COMMIT');
    holder.release();
    await round;
    await retention().run();
    expect(await stateOf(scope)).toMatchObject({ head: 600, oldest: 501, ids: idsBetween(501, 600) });
    expect((await stateOf(scope)).bytes).toBe(await countedBytes(scope));
  });

  it('goes on where it was cut off: before a deletion, and in the middle of one', async () => {
    const scope = await createLog(500, { keepEvents: 100 });
    const dying = async () => {
      throw new Error('the process dies here');
    };
    const caught: unknown[] = [];
    await retention({ pause: dying, onError: (error) => caught.push(error) }).run();
    expect(caught).toHaveLength(1);
    expect(await stateOf(scope)).toMatchObject({ oldest: 101, ids: idsBetween(1, 500) });

    const holder = await node.connections.pool.connect();
    await holder.query('BEGIN');
    await holder.query('SELECT FROM events WHERE database_id = $1 AND id = 50 FOR UPDATE', [scope.databaseId]);
    const round = retention().run();
    const died = expect(round).rejects.toThrow();
    await eventually(async () => {
      const killed = await sql(
        `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
          WHERE datname = current_database() AND wait_event_type = 'Lock' AND query LIKE '%DELETE FROM events%'`,
        [],
      );
      expect(killed).toHaveLength(1);
    });
    await died;
    await holder.query('COMMIT');
    holder.release();
    expect(await stateOf(scope)).toMatchObject({
      oldest: 101,
      ids: idsBetween(1, 500),
      bytes: await countedBytes(scope),
    });

    await retention().run();
    expect(await stateOf(scope)).toMatchObject({
      oldest: 401,
      ids: idsBetween(401, 500),
      bytes: await countedBytes(scope),
    });
  });

  it('is done by one process at a time', async () => {
    const scope = await createLog(300, { keepEvents: 100 });
    const meanwhile: (number | null)[] = [];
    const second = retention({}, other);
    await retention({ pause: async () => void meanwhile.push(await second.run()) }).run();
    expect(meanwhile.length).toBeGreaterThan(0);
    expect(new Set(meanwhile)).toEqual(new Set([null]));
    expect((await stateOf(scope)).oldest).toBe(201);
    expect(await second.run()).toBe(0);
  });

  it('counts about what Postgres takes for the log', async () => {
    const scope = await createLog(1_000);
    for (let more = 0; more < 4; more += 1) await write(scope, 1_000);
    await retention().run();
    const before = await sql<{ bytes: number }>(`SELECT pg_total_relation_size('events') AS bytes`, []);
    const share = await sql<{ all: number; own: number }>(
      'SELECT count(*) AS all, count(*) FILTER (WHERE database_id = $1) AS own FROM events',
      [scope.databaseId],
    );
    const { bytes } = await stateOf(scope);
    const really = (Number(before[0]?.bytes) * Number(share[0]?.own)) / Number(share[0]?.all);
    expect(Number(bytes) / really).toBeGreaterThan(0.6);
    expect(Number(bytes) / really).toBeLessThan(1.5);
  });
});
