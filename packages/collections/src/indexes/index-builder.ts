/**
 * Builds and drops declared indexes in Postgres, beside the writers: always CONCURRENTLY.
 *
 * 1. Of all processes one builds, one index at a time: whoever has the advisory lock. It is a lock of the session, so it goes when the process dies.
 * 2. What stands in `collection_indexes` is what is to be; Postgres's catalog says what is. A build that was cut off leaves an invalid index, which is dropped and built anew.
 * 3. An index is `ready` only when Postgres says that it is valid. Each change of a state raises the configuration version in its transaction.
 * 4. An index of a collection that is gone is dropped.
 */
import { codeOf, kindOfFailure } from '@tidewire/db/postgres-errors';
import type { SqlClient, SqlPool } from '@tidewire/db/sql-pool';
import { type IndexDefinition, type IndexError, indexDefinitionSchema } from '@tidewire/protocol/collection-schema';
import { Problem } from '@tidewire/protocol/problem';
import { type IndexSql, indexName, indexSql, statisticsNames } from './index-sql.js';

export type IndexBuilderDeps = {
  /** Looked at each interval. */
  pool: SqlPool;
  /** The one connection of builds: they may take long. */
  maintenancePool: SqlPool;
  /** Tells that the configuration is at least at this version now. */
  notify: (databaseId: number, configVersion: number) => void;
  /** Told of what failed and will be tried again. */
  onError: (error: unknown) => void;
  /** Between two looks. Default 1,000. */
  intervalMs?: number;
  /** Between two looks for indexes without a row. Default 60,000. */
  sweepIntervalMs?: number;
};

export interface IndexBuilder {
  /** Looks now. Resolves when nothing is left to do that this process may do; rejects when something failed that will be tried again. */
  run(): Promise<void>;
  /** Stops looking, and ends a build that is under way; the next process begins it anew. Resolves when nothing runs any more. */
  close(): Promise<void>;
}

/** Any constant; an advisory lock belongs to one database of Postgres. */
const ADVISORY_LOCK = 7_249_114_002;

type Row = {
  id: number;
  collectionId: number;
  databaseId: number;
  definition: unknown;
  state: 'building' | 'dropping';
};

/** Few rows; drops come first, for they make room. */
const selectNext = `SELECT i.id, i.collection_id AS "collectionId", c.database_id AS "databaseId", i.definition, i.state
  FROM collection_indexes i JOIN collections c ON c.id = i.collection_id
  WHERE i.state IN ('building', 'dropping') ORDER BY i.state DESC, i.id LIMIT 1`;

const isWorkLeft = `SELECT FROM collection_indexes WHERE state IN ('building', 'dropping') LIMIT 1`;

/** Valid indexes answer queries; what is not valid is left from a build or a drop that was cut off. */
const selectIndex = 'SELECT indisvalid AS "isValid" FROM pg_index WHERE indexrelid = to_regclass($1)';

/** By their names: nothing else of the table is called so. */
const selectOrphans = `SELECT DISTINCT o.id FROM (
    SELECT substring(c.relname FROM '^documents_declared_([0-9]+)$')::int AS id FROM pg_index x JOIN pg_class c ON c.oid = x.indexrelid
    WHERE x.indrelid = 'documents'::regclass
    UNION SELECT substring(s.stxname FROM '^documents_declared_([0-9]+)_[0-9]+$')::int FROM pg_statistic_ext s WHERE s.stxrelid = 'documents'::regclass
  ) AS o WHERE o.id IS NOT NULL AND NOT EXISTS (SELECT FROM collection_indexes i WHERE i.id = o.id)`;

/** Looks at once, then at intervals, as long as it is not closed. */
export function createIndexBuilder(deps: IndexBuilderDeps): IndexBuilder {
  const { pool, maintenancePool, notify, onError } = deps;
  const intervalMs = deps.intervalMs ?? 1_000;
  const sweepIntervalMs = deps.sweepIntervalMs ?? 60_000;
  let isClosed = false;
  let running: Promise<void> | null = null;
  let backendPid: number | null = null;
  let nextSweepAt = 0;
  let timer = setTimeout(look, 0);

  async function look(): Promise<void> {
    await run().catch((error: unknown) => isClosed || onError(error));
    if (!isClosed) timer = setTimeout(look, intervalMs);
  }

  /** Two calls at once are one. */
  function run(): Promise<void> {
    running ??= work().finally(() => {
      running = null;
    });
    return running;
  }

  async function work(): Promise<void> {
    const isSweepDue = performance.now() >= nextSweepAt;
    if (isClosed || (!isSweepDue && (await pool.query(isWorkLeft)).rowCount === 0)) return;
    const client = await maintenancePool.connect();
    let failure: Error | undefined;
    try {
      await withLock(client, async () => {
        for (let row = await next(client); row !== undefined && !isClosed; row = await next(client))
          await carryOut(client, row);
        if (isSweepDue && !isClosed) await sweep(client);
      });
    } catch (error) {
      failure = error instanceof Error ? error : new Error(String(error));
      throw error;
    } finally {
      backendPid = null;
      // A session that failed may still hold the lock.
      client.release(failure);
    }
  }

  /** Never waits for the lock: whoever waits inside a statement would be waited for by the build that holds it. */
  async function withLock(client: SqlClient, use: () => Promise<void>): Promise<void> {
    const { rows } = await client.query<{ isOurs: boolean; pid: number }>(
      'SELECT pg_try_advisory_lock($1) AS "isOurs", pg_backend_pid() AS pid',
      [ADVISORY_LOCK],
    );
    if (rows[0]?.isOurs !== true) return;
    backendPid = rows[0].pid;
    await prepareSession(client);
    await use();
    await client.query('SELECT pg_advisory_unlock($1)', [ADVISORY_LOCK]);
  }

  async function next(client: SqlClient): Promise<Row | undefined> {
    return (await client.query<Row>(selectNext)).rows[0];
  }

  async function carryOut(client: SqlClient, row: Row): Promise<void> {
    if (row.state === 'dropping') {
      await dropIndex(client, row.id);
      await settle(client, row, `DELETE FROM collection_indexes WHERE id = $1 AND state = 'dropping'`, [row.id]);
      return;
    }
    const error = await build(client, row);
    await settle(
      client,
      row,
      `UPDATE collection_indexes SET state = $2::index_state, error = $3::jsonb WHERE id = $1 AND state = 'building'`,
      [row.id, error === null ? 'ready' : 'failed', error === null ? null : JSON.stringify(error)],
    );
  }

  /** Null when it stands; else why it never will, and then nothing of it is left. */
  async function build(client: SqlClient, { id, collectionId, definition }: Row): Promise<IndexError | null> {
    let sql: IndexSql;
    try {
      const parsed: IndexDefinition = indexDefinitionSchema.parse(definition);
      sql = indexSql({ id, collectionId, definition: parsed });
    } catch (error) {
      return { message: error instanceof Problem ? error.detail : 'The definition cannot be read.' };
    }
    const present = await client.query<{ isValid: boolean }>(selectIndex, [sql.name]);
    const error = present.rows[0]?.isValid === true ? null : await create(client, id, sql);
    if (error !== null) return error;
    for (const statement of sql.statistics) await client.query(statement);
    // Postgres knows nothing about the values of an expression before it has looked at the table.
    await client.query('ANALYZE documents');
    return null;
  }

  async function create(client: SqlClient, id: number, sql: IndexSql): Promise<IndexError | null> {
    await dropIndex(client, id);
    try {
      await client.query(sql.prepare);
      await client.query(sql.create);
      return null;
    } catch (error) {
      if (kindOfFailure(error) !== 'refused' || stoppedStates.has(codeOf(error))) throw error;
      // An index that failed goes on refusing writes until it is dropped.
      await dropIndex(client, id);
      return describe(client, sql, error);
    }
  }

  async function describe(client: SqlClient, { findDoubles }: IndexSql, error: unknown): Promise<IndexError> {
    if (codeOf(error) !== '23505' || findDoubles === null) return { message: messageOf(error) };
    const { rows } = await client.query<{ ids: string[] }>(findDoubles);
    const documents: string[][] = [];
    let room = 100;
    for (const { ids } of rows) {
      if (room < 2) break;
      documents.push(ids.slice(0, room));
      room -= ids.length;
    }
    return { message: 'Documents share a value that is to be unique.', documents };
  }

  /** The change of a row and the version of its database, in the order of locks that all take: the head first. */
  async function settle(client: SqlClient, { databaseId }: Row, text: string, values: unknown[]): Promise<void> {
    await client.query('BEGIN');
    const { rows } = await client.query<{ configVersion: number }>(
      'UPDATE log_heads SET config_version = config_version + 1 WHERE database_id = $1 RETURNING config_version AS "configVersion"',
      [databaseId],
    );
    await client.query(text, values);
    await client.query('COMMIT');
    const version = rows[0]?.configVersion;
    if (version !== undefined) notify(databaseId, version);
  }

  async function sweep(client: SqlClient): Promise<void> {
    const { rows } = await client.query<{ id: number }>(selectOrphans);
    for (const { id } of rows) await dropIndex(client, id);
    nextSweepAt = performance.now() + sweepIntervalMs;
  }

  return {
    run,
    async close() {
      isClosed = true;
      clearTimeout(timer);
      // A build does not hear that its client goes.
      if (backendPid !== null) await pool.query('SELECT pg_cancel_backend($1)', [backendPid]).catch(onError);
      await running?.catch(() => undefined);
    },
  };
}

/** Stopped by somebody, or by Postgres for want of room: no fault of the index. */
const stoppedStates = new Set(['57014', '53100', '53200', '53400', '58030']);

/** With its statistics. */
async function dropIndex(client: SqlClient, id: number): Promise<void> {
  await client.query(`DROP INDEX CONCURRENTLY IF EXISTS ${indexName(id)}`);
  await client.query(`DROP STATISTICS IF EXISTS ${statisticsNames(id).join(', ')}`);
}

/** A build takes as long as it takes, but ends when its process is gone. Where the platform cannot tell, it goes on to its end, and is found to be ready by the next. */
async function prepareSession(client: SqlClient): Promise<void> {
  await client.query(
    `SET statement_timeout = 0; SET lock_timeout = 0; SET maintenance_work_mem = '128MB'; SET max_parallel_maintenance_workers = 0`,
  );
  await client.query(`SET client_connection_check_interval = '1s'`).catch(() => undefined);
}

/** Postgres's own words, for they say which limit was met. */
function messageOf(error: unknown): string {
  if (codeOf(error).startsWith('54')) return 'A document has a value that is too large for an index.';
  return `Postgres refused the index (${codeOf(error) || 'no code'}).`;
}
