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
 * 5. An operation with an idempotency key is carried out once, across all processes and crashes: its answer is looked up and stored under the
 *    head's lock, in the transaction of the write.
 */
import type { Catalog, CatalogDatabase } from '@tidewire/db/catalog';
import { codeOf, databaseUnavailable, kindOfFailure, problemOfFailure } from '@tidewire/db/postgres-errors';
import type { SqlClient, SqlPool } from '@tidewire/db/sql-pool';
import { invalid, Problem } from '@tidewire/protocol/problem';
import type { ChangeBus } from './change-bus.js';
import { CollectionTooLargeError, dropLimitDocuments } from './collection-writes.js';
import type { ShapeOf } from './document-shape.js';
import { wholeDocument } from './document-text.js';
import type { DocumentUpdate, StoredDocument } from './document-writes.js';
import { changeCollection } from './lane-collection-statements.js';
import { type CounterValue, counterKey } from './lane-counters.js';
import {
  answerKey,
  type CollectionStep,
  documentKey,
  type LaneOperation,
  type LaneOutcome,
  type LanePlan,
  type LaneShapes,
  type LaneStep,
  operationLimitChars,
  type PlainStep,
  type PlannedOperation,
  planBatch,
  type SelectStep,
  type StoredAnswer,
  tooMuchAtOnce,
} from './lane-plan.js';
import { createLaneQueue } from './lane-queue.js';
import {
  insertAnswers,
  insertBatch,
  insertCollections,
  insertNew,
  raiseVersion,
  selectAnswers,
  selectCollections,
  selectCounters,
  selectDocuments,
  selectFirstEvent,
  selectHeadForUpdate,
  selectionTimeoutMs,
  selectMatching,
  storeCounters,
} from './lane-statements.js';
import { declaredIndexOf, uniqueConflict } from './unique-conflict.js';

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
  /** What collections make of their documents; without it every collection takes any JSON object. */
  shapeOf?: ShapeOf | undefined;
};

/** An operation on its way, and whom to answer. */
class Entry implements LaneOperation {
  isAnswered = false;
  readonly operationId: string;
  readonly author: LaneOperation['author'];
  readonly steps: LaneOperation['steps'];
  readonly idempotency: LaneOperation['idempotency'];
  /** A selection reads the table, a step on a collection changes what the others are planned with: each has a batch of its own. */
  readonly isAlone: boolean;

  constructor(
    { operationId, author, steps, idempotency }: LaneOperation,
    readonly deadline: number,
    readonly resolve: (outcome: LaneOutcome) => void,
  ) {
    this.operationId = operationId;
    this.author = author;
    this.steps = steps;
    this.idempotency = idempotency;
    this.isAlone = aloneKinds.has(steps[0]?.kind ?? '');
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
  const { databaseId, pool, catalog, bus, now, shapeOf } = options;
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
      only.answer({ status: 'refused', error: (await conflictOf(error)) ?? problemOfFailure(error) ?? error });
      return;
    }
    const middle = Math.ceil(pending.length / 2);
    await settle(pending.slice(0, middle));
    await settle(pending.slice(middle));
  }

  /** The index may be newer than what is in memory. */
  async function conflictOf(error: unknown): Promise<Problem | null> {
    if (declaredIndexOf(error) === null) return null;
    const known = uniqueConflict(error, catalog.peek(databaseId));
    return known ?? uniqueConflict(error, await catalog.refresh(databaseId).catch(() => null));
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
    return knownHead !== null && needsNothingRead(entries, database, shapeOf)
      ? commitNew(client, entries, database, flight)
      : commitBatch(client, entries, flight);
  }

  async function commitNew(
    client: SqlClient,
    entries: Entry[],
    database: CatalogDatabase,
    flight: { doubt: Doubt | null },
  ): Promise<Committed | null> {
    const plan = planBatch(entries.map(withPlainSteps), {
      base: 0,
      at: nextTime(),
      collections: database.collections,
      documents: new Map(),
      answers: new Map(),
      shapes: shapesOf(database, new Map()),
    });
    if (plan.events.length === 0) return { entries, plan };
    flight.doubt = { entries, plan, base: null };
    const base = await insertNew(client, databaseId, database.configVersion, plan);
    flight.doubt = null;
    if (base === null) {
      await catalog.refresh(databaseId);
      return null;
    }
    return { entries, plan: rebase(plan, base) };
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
    const at = nextTime();
    const answers = await answersOf(client, entries, at);
    const { collections, createdVersion } = await collectionsOf(client, entries, database);
    const { operations, documents } = await documentsOf(client, entries, collections, answers);
    const counters = await countersOf(client, operations, database);
    const shapes = shapesOf(database, counters);
    const plan = planBatch(operations, { base, at, collections, documents, answers, shapes });
    if (plan.events.length === 0 && plan.answers.length === 0) {
      await client.query('ROLLBACK');
      return { entries, plan };
    }
    if (plan.answers.length > 0) await insertAnswers(client, databaseId, plan.answers, at);
    if (plan.counters.size > 0) await storeCounters(client, [...plan.counters.values()]);
    if (plan.events.length > 0) {
      await insertBatch(client, databaseId, base, plan);
      // A batch without events needs no looking up: sent again, it finds its answer or has nothing to do.
      flight.doubt = { entries, plan, base };
    }
    const changedVersion = await changedCollection(client, entries, plan, collections);
    await client.query('COMMIT');
    flight.doubt = null;
    await spread(changedVersion ?? createdVersion);
    return { entries, plan };
  }

  /** After a commit, which stands whatever happens here: tells this process and the others that the configuration is new; null: it is not. */
  async function spread(configVersion: number | null): Promise<void> {
    if (configVersion === null) return;
    // When it fails, the next batch reads it under the lock, or finds its version outdated.
    await catalog.refresh(databaseId, configVersion).catch(options.onRetry);
    bus.publish({ kind: 'config', databaseId, configVersion });
  }

  /** Carries out what a planned step on a collection does to its row. Returns the raised configuration version, null when there is no such step. */
  async function changedCollection(
    client: SqlClient,
    entries: Entry[],
    plan: LanePlan,
    collections: ReadonlyMap<string, number>,
  ): Promise<number | null> {
    const step = entries[0]?.steps[0];
    if (step === undefined || !isOnCollection(step) || plan.outcomes[0]?.status !== 'written') return null;
    const id = collections.get(step.collection);
    if (id === undefined) return null;
    await changeCollection(client, id, step);
    return raiseVersion(client, databaseId);
  }

  /** Under the head's lock: was the batch committed? If not, fences off the first try for good. */
  async function clearDoubt(client: SqlClient, doubt: Doubt): Promise<Committed | null> {
    const operationId = doubt.plan.events[0]?.operationId ?? '';
    await client.query('BEGIN');
    const row = await selectHeadForUpdate(client, databaseId);
    if (row === undefined) throw new Problem('not_found', 'The database does not exist.');
    const first = await selectFirstEvent(client, databaseId, knownHead ?? 0, operationId);
    if (first === null) {
      // A process that stood still looks too late: what it had committed may have been cut from the log by now (retention-cut.ts).
      for (const entry of doubt.entries)
        if (entry.deadline <= now()) entry.answer({ status: 'refused', error: outcomeUnknown() });
      await insertCollections(client, databaseId, []);
      await client.query('COMMIT');
      await catalog.refresh(databaseId);
      isInDoubt = false;
      return null;
    }
    await client.query('ROLLBACK');
    isInDoubt = false;
    // The batch may have made, renamed or dropped a collection.
    await spread(row.configVersion);
    return { entries: doubt.entries, plan: doubt.base === null ? rebase(doubt.plan, first - 1) : doubt.plan };
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

  /** The documents that the steps look at; and the steps, selections carried out. */
  async function documentsOf(
    client: SqlClient,
    entries: Entry[],
    collections: ReadonlyMap<string, number>,
    answers: ReadonlyMap<string, StoredAnswer>,
  ) {
    const select = entries[0]?.steps[0];
    if (select?.kind === 'select') {
      // What was answered before is not looked for again: by now the condition may be met by others.
      return selectedOf(client, entries, select, answers.size > 0 ? new Map() : collections);
    }
    if (select?.kind === 'drop') return droppedOf(client, entries, select, collections);
    const operations = entries.map(withPlainSteps);
    const wanted = new Map<string, { collectionId: number; id: string }>();
    for (const step of operations.flatMap((operation) => operation.steps)) {
      if (step.kind === 'publish' || isOnCollection(step) || (step.kind === 'create' && step.isNew)) continue;
      const collectionId = collections.get(step.collection);
      if (collectionId !== undefined) wanted.set(documentKey(collectionId, step.id), { collectionId, id: step.id });
    }
    if (wanted.size === 0) return { operations, documents: new Map<string, StoredDocument>() };
    const rows = await selectDocuments(client, [...wanted.values()]);
    const documents = new Map(
      rows.map(({ collectionId, document }) => [documentKey(collectionId, document.id), document]),
    );
    return { operations, documents };
  }

  /** Puts a plain step for each selected document in the place of the selection, which is alone in its batch. */
  async function selectedOf(
    client: SqlClient,
    entries: Entry[],
    { collection, selection, effect }: SelectStep,
    collections: ReadonlyMap<string, number>,
  ) {
    const collectionId = collections.get(collection);
    const found =
      collectionId === undefined ? [] : await selectMatching(client, collectionId, selection).catch(tooSlow);
    if (found === 'too many') throw tooMany(selection.limit);
    if (found === 'too large') throw tooMuchAtOnce();
    const until = now() + changeTimeoutMs;
    const steps = found.map(
      ({ id }): PlainStep =>
        effect.kind === 'delete'
          ? { kind: 'delete', collection, id, ifMissing: 'report' }
          : { kind: 'update', collection, id, change: withDeadline(effect.change, until), admit: effect.admit },
    );
    const operations = entries.map((entry): PlannedOperation => ({ ...entry, steps }));
    return {
      operations,
      documents: new Map(found.map((document) => [documentKey(collectionId ?? 0, document.id), document])),
    };
  }

  /** Puts a plain step for each document that is left before the drop, which is alone in its batch. */
  async function droppedOf(
    client: SqlClient,
    entries: Entry[],
    drop: CollectionStep & { kind: 'drop' },
    collections: ReadonlyMap<string, number>,
  ) {
    const { collection } = drop;
    const collectionId = collections.get(collection);
    const documents = new Map<string, StoredDocument>();
    const plan = (steps: PlannedOperation['steps']) => ({
      operations: entries.map((entry): PlannedOperation => ({ ...entry, steps })),
      documents,
    });
    if (collectionId === undefined) return plan([drop]);
    // The name belongs to another collection now: to that one, nothing is done.
    if (drop.collectionId !== undefined && drop.collectionId !== collectionId)
      return plan([{ kind: 'delete', collection, id: '', ifMissing: 'report' }]);
    const condition = () => ({ text: 'true', values: [collectionId] });
    const found = await selectMatching(client, collectionId, { condition, limit: dropLimitDocuments });
    if (found === 'too many' || found === 'too large') throw new CollectionTooLargeError(collection);
    const size = found.reduce((sum, document) => sum + wholeDocument(document).length, 0);
    if (size > operationLimitChars) throw new CollectionTooLargeError(collection);
    for (const document of found) documents.set(documentKey(collectionId, document.id), document);
    const deletes = found.map(({ id }): PlainStep => ({ kind: 'delete', collection, id, ifMissing: 'report' }));
    return plan([...deletes, drop]);
  }

  /** Ten thousand changes that are each allowed may be too much work together. */
  function withDeadline(change: DocumentUpdate, until: number): DocumentUpdate {
    return (before, stored) => {
      if (now() > until) throw tooLong();
      return change(before, stored);
    };
  }

  function shapesOf(database: CatalogDatabase, counters: ReadonlyMap<string, CounterValue>): LaneShapes | undefined {
    if (shapeOf === undefined || database.shapes.size === 0) return undefined;
    return { shapeOf: (collectionId) => shapeOf(database, collectionId), counters };
  }

  /** The last numbers of the collections that documents are created in. The head's lock keeps every other writer out. */
  async function countersOf(client: SqlClient, operations: readonly PlannedOperation[], database: CatalogDatabase) {
    const numbered = new Set<number>();
    if (shapeOf !== undefined && database.shapes.size > 0) {
      for (const step of operations.flatMap(({ steps }) => steps)) {
        const id = step.kind === 'create' ? database.collections.get(step.collection) : undefined;
        if (id !== undefined && shapeOf(database, id)?.counters.length) numbered.add(id);
      }
    }
    const values = numbered.size === 0 ? [] : await selectCounters(client, [...numbered]);
    return new Map(values.map((value) => [counterKey(value.collectionId, value.field), value]));
  }

  async function answersOf(client: SqlClient, entries: Entry[], at: string): Promise<Map<string, StoredAnswer>> {
    const wanted = entries.flatMap(({ author, idempotency }) =>
      idempotency === undefined ? [] : [{ actor: author.actor, key: idempotency.key }],
    );
    if (wanted.length === 0) return new Map();
    const since = new Date(Date.parse(at) - answersKeptMs).toISOString();
    const answers = await selectAnswers(client, databaseId, wanted, since);
    return new Map(answers.map((answer) => [answerKey(answer.actor, answer.key), answer]));
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

/** How long the documents of a selection may take to be changed: nothing else happens in the process meanwhile. */
const changeTimeoutMs = 2_000;

/** How long an answer is given again under its idempotency key. */
export const answersKeptMs = 24 * 60 * 60_000;

function needsNothingRead(entries: readonly Entry[], database: CatalogDatabase, shapeOf: ShapeOf | undefined): boolean {
  const isShaped = shapeOf !== undefined && database.shapes.size > 0;
  return entries.every(
    ({ idempotency, steps }) =>
      idempotency === undefined &&
      steps.every((step) => {
        if (step.kind === 'publish') return true;
        if (step.kind !== 'create' || !step.isNew) return false;
        const id = database.collections.get(step.collection);
        return id !== undefined && !(isShaped && shapeOf(database, id)?.counters.length);
      }),
  );
}

const aloneKinds: ReadonlySet<string> = new Set(['select', 'rename', 'drop']);

function isOnCollection(step: LaneStep): step is CollectionStep {
  return step.kind === 'rename' || step.kind === 'drop';
}

/** Of an operation whose selections have been carried out, or that has none. */
function withPlainSteps(operation: LaneOperation): PlannedOperation {
  if (operation.steps[0]?.kind !== 'select') return operation as PlannedOperation;
  throw new Error('a selection came into a batch with other operations');
}

function tooMany(limit: number): Problem {
  return invalid(
    'q',
    `the condition is met by more than ${limit} documents`,
    `at most ${limit} documents in one request; narrow q, and send several requests`,
  );
}

/** The caller's condition is at fault, not the server. */
function tooSlow(error: unknown): never {
  throw codeOf(error) === '57014' ? tooLong(error) : error;
}

function tooLong(cause?: unknown): Problem {
  return new Problem(
    'query_too_slow',
    `It takes too long to find the documents that are meant (${selectionTimeoutMs / 1000} s), or to change them (${changeTimeoutMs / 1000} s); nothing was changed. Narrow the query.`,
    { cause },
  );
}

function namesToCreate(entries: readonly Entry[]): string[] {
  const names = new Set<string>();
  for (const { steps } of entries) for (const step of steps) if (step.kind === 'create') names.add(step.collection);
  return [...names];
}

/** Moves a plan that was made from 0 up to its place in the log: in place, for a copy of each event costs more than all else here. */
function rebase(plan: LanePlan, base: number): LanePlan {
  for (const event of plan.events) event.id += base;
  for (const outcome of plan.outcomes)
    if (outcome.status === 'written' && outcome.eventId !== null) outcome.eventId += base;
  return plan;
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
