/**
 * The commit lane of one database: group commit. Nothing in flight → the operations of this turn of the event loop go at once;
 * else they queue, and the whole queue goes when the flight returns. There is no timer in the way of a write.
 *
 * What it guarantees:
 * 1. An operation's documents and events are stored in one transaction, with dense ids in commit order, across all processes.
 * 2. `submit` answers after the commit. A lost connection is not an answer: the lane looks in the log whether the batch was
 *    committed, and sends it again if not, until the operation's deadline.
 * 3. A batch that is sent again can never be stored twice: before, the lane raises the configuration version under the head's lock,
 *    which the first try's statement was bound to; a transaction of the general way dies with its connection.
 * 4. One bad operation is refused alone; the batch is halved until it is found.
 */
import type { Catalog, CatalogDatabase } from '@tidewire/db/catalog';
import { databaseUnavailable, kindOfFailure, problemOfFailure } from '@tidewire/db/postgres-errors';
import type { SqlClient, SqlPool } from '@tidewire/db/sql-pool';
import { Problem } from '@tidewire/protocol/problem';
import type { ChangeBus } from './change-bus.js';
import type { StoredDocument } from './document-writes.js';
import { documentKey, type LaneOperation, type LaneOutcome, type LanePlan, placePlan, planBatch } from './lane-plan.js';
import { createLaneQueue } from './lane-queue.js';
import {
  insertBatch,
  insertCollections,
  insertNew,
  selectCollections,
  selectDocuments,
  selectFirstEvent,
  selectHeadForUpdate,
} from './lane-statements.js';

export type CommitLane = {
  /** Stores the operation or says why not. Rejects only with accidents that are not known as refusals. */
  submit(operation: LaneOperation): Promise<LaneOutcome>;
  /** Resolves when nothing is queued or in flight. */
  idle(): Promise<void>;
};

export type CommitLaneOptions = {
  databaseId: number;
  /** Sessions with `tidewire.lane = on`. */
  pool: SqlPool;
  catalog: Catalog;
  bus: ChangeBus;
  /** Milliseconds since the epoch. */
  now: () => number;
  /** How long an operation may wait for its commit. Default 10,000. */
  writeTimeoutMs?: number;
  /** Most events in one transaction, unless a single operation has more. Default 1,000. */
  batchLimitEvents?: number;
  /** Told of each try that failed and will be repeated. */
  onRetry: (error: unknown) => void;
};

/** An operation on its way, and whom to answer. */
class Entry implements LaneOperation {
  isAnswered = false;
  readonly operationId: string;
  readonly author: LaneOperation['author'];
  readonly steps: LaneOperation['steps'];

  constructor(
    { operationId, author, steps }: LaneOperation,
    readonly deadline: number,
    readonly resolve: (outcome: LaneOutcome) => void,
  ) {
    this.operationId = operationId;
    this.author = author;
    this.steps = steps;
  }

  /** The first answer counts. */
  answer(outcome: LaneOutcome): void {
    if (this.isAnswered) return;
    this.isAnswered = true;
    this.resolve(outcome);
  }
}

/** A batch that may have been committed, as far as we know: its plan, and the head below its first event where that is known. */
type Doubt = { entries: Entry[]; plan: LanePlan; base: number | null };

type Committed = { entries: Entry[]; plan: LanePlan };

export function createCommitLane(options: CommitLaneOptions): CommitLane {
  const { databaseId, pool, catalog, bus, now } = options;
  const writeTimeoutMs = options.writeTimeoutMs ?? 10_000;
  const queue = createLaneQueue<Entry>({ batchLimitEvents: options.batchLimitEvents ?? 1_000 });
  let inFlight: Entry[] = [];
  let isFlying = false;
  let isInDoubt = false;
  /** A head that the log is known to have reached; null until the first batch has looked. */
  let knownHead: number | null = null;
  let lastAt = 0;
  const whenIdle: (() => void)[] = [];

  function submit(operation: LaneOperation): Promise<LaneOutcome> {
    return new Promise((resolve) => {
      queue.push(new Entry(operation, now() + writeTimeoutMs, resolve));
      if (isFlying) return;
      isFlying = true;
      setImmediate(fly);
    });
  }

  async function fly(): Promise<void> {
    const watch = setInterval(answerOverdue, 250);
    while (queue.length > 0) {
      inFlight = queue.takeBatch();
      await settle(inFlight);
    }
    clearInterval(watch);
    inFlight = [];
    isFlying = false;
    for (const resolve of whenIdle.splice(0)) resolve();
  }

  /** Nobody waits longer than the deadline, whatever Postgres does. */
  function answerOverdue(): void {
    const time = now();
    for (const entry of queue.takeOverdue(time)) entry.answer({ status: 'refused', error: databaseUnavailable() });
    for (const entry of inFlight)
      if (entry.deadline <= time) entry.answer({ status: 'refused', error: outcomeUnknown() });
  }

  /** Carries a batch to its end: every entry is answered when this returns. Never throws. */
  async function settle(entries: Entry[]): Promise<void> {
    let doubt: Doubt | null = null;
    for (let attempt = 0; ; attempt += 1) {
      const pending: Entry[] = entries.filter((entry) => !entry.isAnswered);
      if (pending.length === 0) return;
      const flight: { doubt: Doubt | null } = { doubt };
      try {
        const committed: Committed | null = await withClient((client) =>
          flight.doubt === null ? commit(client, pending, flight) : clearDoubt(client, flight.doubt),
        );
        doubt = null;
        if (committed === null) continue;
        announce(committed);
        return;
      } catch (error) {
        const kind = kindOfFailure(error);
        if (kind === 'refused') {
          await refuse(pending, error);
          return;
        }
        options.onRetry(error);
        doubt = kind === 'lost' ? flight.doubt : null;
        isInDoubt = doubt !== null;
        if (attempt > 0 || kind === 'lost') await delay(Math.min(25 * 2 ** attempt, 500));
        giveUpOverdue(pending, error);
      }
    }
  }

  function giveUpOverdue(pending: Entry[], cause: unknown): void {
    for (const entry of pending) {
      if (entry.deadline > now()) continue;
      entry.answer({ status: 'refused', error: isInDoubt ? outcomeUnknown(cause) : databaseUnavailable(cause) });
    }
  }

  async function refuse(pending: Entry[], error: unknown): Promise<void> {
    const [only] = pending;
    if (pending.length === 1 && only !== undefined) {
      only.answer({ status: 'refused', error: problemOfFailure(error) ?? error });
      return;
    }
    const middle = Math.ceil(pending.length / 2);
    await settle(pending.slice(0, middle));
    await settle(pending.slice(middle));
  }

  async function withClient<T>(use: (client: SqlClient) => Promise<T>): Promise<T> {
    const client = await pool.connect();
    let failure: Error | undefined;
    try {
      return await use(client);
    } catch (error) {
      if (kindOfFailure(error) === 'lost') failure = error instanceof Error ? error : new Error(String(error));
      else await client.query('ROLLBACK');
      throw error;
    } finally {
      client.release(failure);
    }
  }

  /** One try. Null: nothing was written because the configuration has changed; what is in memory is fresh now. */
  async function commit(
    client: SqlClient,
    entries: Entry[],
    flight: { doubt: Doubt | null },
  ): Promise<Committed | null> {
    const database = await catalog.byId(databaseId);
    if (database === null) throw new Problem('not_found', 'The database does not exist.');
    return knownHead !== null && needsNothingRead(entries, database)
      ? commitNew(client, entries, database, flight)
      : commitBatch(client, entries, flight);
  }

  async function commitNew(
    client: SqlClient,
    entries: Entry[],
    database: CatalogDatabase,
    flight: { doubt: Doubt | null },
  ): Promise<Committed | null> {
    const plan = planBatch(entries, {
      base: 0,
      at: nextTime(),
      collections: database.collections,
      documents: new Map(),
    });
    if (plan.events.length === 0) return { entries, plan };
    flight.doubt = { entries, plan, base: null };
    const base = await insertNew(client, databaseId, database.configVersion, plan);
    flight.doubt = null;
    if (base === null) {
      await catalog.refresh(databaseId);
      return null;
    }
    return { entries, plan: placePlan(plan, base) };
  }

  async function commitBatch(
    client: SqlClient,
    entries: Entry[],
    flight: { doubt: Doubt | null },
  ): Promise<Committed | null> {
    await client.query('BEGIN');
    const row = await selectHeadForUpdate(client, databaseId);
    if (row === undefined) throw new Problem('not_found', 'The database does not exist.');
    const base = row.head;
    knownHead = base;
    const database = await catalog.refresh(databaseId, row.configVersion);
    if (database === null) throw new Problem('not_found', 'The database does not exist.');
    const { collections, createdVersion } = await collectionsOf(client, entries, database);
    const documents = await documentsOf(client, entries, collections);
    const plan = planBatch(entries, { base, at: nextTime(), collections, documents });
    if (plan.events.length === 0) {
      await client.query('ROLLBACK');
      return { entries, plan };
    }
    await insertBatch(client, databaseId, base, plan);
    flight.doubt = { entries, plan, base };
    await client.query('COMMIT');
    flight.doubt = null;
    if (createdVersion !== null) {
      await catalog.refresh(databaseId, createdVersion);
      bus.publish({ kind: 'config', databaseId, configVersion: createdVersion });
    }
    return { entries, plan };
  }

  /** Under the head's lock: was the batch committed? If not, fences off the first try for good. */
  async function clearDoubt(client: SqlClient, doubt: Doubt): Promise<Committed | null> {
    const operationId = doubt.plan.events[0]?.operationId ?? '';
    await client.query('BEGIN');
    const row = await selectHeadForUpdate(client, databaseId);
    if (row === undefined) throw new Problem('not_found', 'The database does not exist.');
    const first = await selectFirstEvent(client, databaseId, knownHead ?? 0, operationId);
    if (first === null) {
      await insertCollections(client, databaseId, []);
      await client.query('COMMIT');
      await catalog.refresh(databaseId);
      isInDoubt = false;
      return null;
    }
    await client.query('ROLLBACK');
    isInDoubt = false;
    return { entries: doubt.entries, plan: doubt.base === null ? placePlan(doubt.plan, first - 1) : doubt.plan };
  }

  function announce({ entries, plan }: Committed): void {
    const last = plan.events.at(-1);
    if (last !== undefined) {
      knownHead = last.id;
      bus.publish({ kind: 'events', databaseId, events: plan.events });
    }
    for (const [index, entry] of entries.entries()) {
      const outcome = plan.outcomes[index];
      if (outcome !== undefined) entry.answer(outcome);
    }
  }

  async function collectionsOf(client: SqlClient, entries: Entry[], database: CatalogDatabase) {
    const wanted = namesToCreate(entries).filter((name) => !database.collections.has(name));
    if (wanted.length === 0 || !database.settings.collections.createOnWrite) {
      return { collections: database.collections, createdVersion: null };
    }
    const createdVersion = await insertCollections(client, databaseId, wanted);
    const created = await selectCollections(client, databaseId, wanted);
    return { collections: new Map([...database.collections, ...created]), createdVersion };
  }

  async function documentsOf(client: SqlClient, entries: Entry[], collections: ReadonlyMap<string, number>) {
    const wanted = new Map<string, { collectionId: number; id: string }>();
    for (const step of entries.flatMap((entry) => entry.steps)) {
      if (step.kind === 'publish' || (step.kind === 'create' && step.isNew)) continue;
      const collectionId = collections.get(step.collection);
      if (collectionId !== undefined) wanted.set(documentKey(collectionId, step.id), { collectionId, id: step.id });
    }
    if (wanted.size === 0) return new Map<string, StoredDocument>();
    const rows = await selectDocuments(client, [...wanted.values()]);
    return new Map(rows.map(({ collectionId, document }) => [documentKey(collectionId, document.id), document]));
  }

  /** Never earlier than the batch before, so that times rise with the ids of one process. */
  function nextTime(): string {
    lastAt = Math.max(lastAt, now());
    return new Date(lastAt).toISOString();
  }

  return {
    submit,
    idle: () => (isFlying ? new Promise((resolve) => whenIdle.push(resolve)) : Promise.resolve()),
  };
}

function needsNothingRead(entries: readonly Entry[], database: CatalogDatabase): boolean {
  return entries.every((entry) =>
    entry.steps.every(
      (step) =>
        step.kind === 'publish' || (step.kind === 'create' && step.isNew && database.collections.has(step.collection)),
    ),
  );
}

function namesToCreate(entries: readonly Entry[]): string[] {
  const names = new Set<string>();
  for (const { steps } of entries) for (const step of steps) if (step.kind === 'create') names.add(step.collection);
  return [...names];
}

function outcomeUnknown(cause?: unknown): Problem {
  return new Problem(
    'outcome_unknown',
    'The database server was lost while the write was under way, so it is not known whether it was stored. Read before you write again.',
    { headers: { 'Retry-After': '1' }, cause },
  );
}

function delay(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
