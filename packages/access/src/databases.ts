/**
 * Databases: made, found, listed, renamed, deleted. A deletion only begins here: from that moment nobody is let in, no write commits any more, and whoever keeps house takes
 * the documents and events away (database-removal.ts).
 */
import type { Catalog } from '@tidewire/db/catalog';
import type { AdminClient } from '@tidewire/db/client';
import type { SqlPool } from '@tidewire/db/sql-pool';
import { type CollectionAnswer, type DatabaseAnswer, deletionProgressSchema } from '@tidewire/protocol/admin-api';
import { databaseNamePattern, databaseNameRule, defaultDatabaseName } from '@tidewire/protocol/names';
import { invalid, Problem } from '@tidewire/protocol/problem';
import { databaseSettingsSchema } from '@tidewire/protocol/settings';
import { type AdminTransaction, inTransaction } from './admin-transaction.js';
import { type Doer, recordAudit, systemDoer } from './audit-log.js';
import { type ConfigNotice, raiseConfigVersion } from './config-version.js';

export interface Databases {
  /** By name. */
  list(): Promise<DatabaseAnswer[]>;
  /** Throws `not_found`. */
  get(name: string): Promise<DatabaseAnswer>;
  /** With its log's head. Throws `conflict` when the name is taken, `validation_failed` when it is no name. */
  create(name: string, doer?: Doer): Promise<{ id: number; name: string }>;
  /** The database of that name, made when it is not there; safe when several processes do it at once. */
  ensure(name: string): Promise<{ id: number; name: string }>;
  /** Gives another name; keys stay good, paths with the old name do not. Throws `not_found`, `conflict`, `validation_failed`. */
  rename(name: string, newName: string, doer?: Doer): Promise<DatabaseAnswer>;
  /**
   * Begins the deletion: when this resolves, no write commits any more, and no process lets an application in for longer than a second. Again changes nothing. Throws `not_found`, and
   * `conflict` for the database that is always there.
   */
  beginDeletion(name: string, doer?: Doer): Promise<DatabaseAnswer>;
  /** By name, with the number of their documents. */
  collections(databaseId: number): Promise<CollectionAnswer[]>;
}

/** `catalog` and `notify` spread what is renamed or deleted; without them others learn of it within a second. */
export type DatabasesDeps = { prisma: AdminClient; pool: SqlPool; catalog?: Catalog; notify?: ConfigNotice };

/** PostgreSQL's unique violation, as Prisma names it. */
const UNIQUE_VIOLATION = 'P2002';

/** Ordered by name; the documents are counted by their primary key (collection_id, id). */
const selectCollections = {
  name: 'database-collections',
  text: `SELECT c.name, c.created_at AS "createdAt",
      (SELECT count(*) FROM documents d WHERE d.collection_id = c.id) AS documents
    FROM collections c WHERE c.database_id = $1 ORDER BY c.name COLLATE "C"`,
};

export function createDatabases({ prisma, pool, catalog, notify }: DatabasesDeps): Databases {
  async function create(name: string, doer: Doer = systemDoer): Promise<{ id: number; name: string }> {
    checkName(name);
    return orTaken(name, () =>
      inTransaction(prisma, async (transaction) => {
        const made = await transaction.database.create({
          data: { name, settings: databaseSettingsSchema.parse({}), log: { create: {} } },
          select: { id: true, name: true },
        });
        await recordAudit(transaction, doer, {
          action: 'database.create',
          database: name,
          subject: name,
          after: { name },
        });
        return made;
      }),
    );
  }

  /** A change of one database, under the lock of its head, told to all. */
  async function change(
    name: string,
    work: (transaction: AdminTransaction, id: number) => Promise<void>,
  ): Promise<void> {
    const present = databaseNamePattern.test(name)
      ? await prisma.database.findUnique({ where: { name }, select: { id: true } })
      : null;
    if (present === null) throw notFound();
    const { id } = present;
    const configVersion = await inTransaction(prisma, async (transaction) => {
      const head = await raiseConfigVersion(transaction, id);
      await work(transaction, id);
      return head.configVersion;
    });
    notify?.(id, configVersion);
    await catalog?.refresh(id, configVersion);
  }

  async function get(name: string): Promise<DatabaseAnswer> {
    if (!databaseNamePattern.test(name)) throw notFound();
    const row = await prisma.database.findUnique({ where: { name }, include: { log: true, logSize: true } });
    if (row === null) throw notFound();
    return encodeDatabase(row);
  }

  return {
    create,
    get,
    async list() {
      const rows = await prisma.database.findMany({ orderBy: { name: 'asc' }, include: { log: true, logSize: true } });
      return rows.map(encodeDatabase);
    },
    async ensure(name) {
      const select = { id: true, name: true };
      const present = await prisma.database.findUnique({ where: { name }, select });
      if (present !== null) return present;
      try {
        return await create(name);
      } catch (error) {
        if (!(error instanceof Problem) || error.code !== 'conflict') throw error;
        return prisma.database.findUniqueOrThrow({ where: { name }, select });
      }
    },
    async rename(name, newName, doer = systemDoer) {
      checkName(newName);
      if (name === defaultDatabaseName) throw alwaysThere();
      await orTaken(newName, () =>
        change(name, async (transaction, id) => {
          const { count } = await transaction.database.updateMany({
            where: { id, name, deletingAt: null },
            data: { name: newName },
          });
          if (count === 0) throw notFound();
          const values = { before: { name }, after: { name: newName } };
          await recordAudit(transaction, doer, {
            action: 'database.rename',
            database: newName,
            subject: name,
            ...values,
          });
        }),
      );
      return get(newName);
    },
    async beginDeletion(name, doer = systemDoer) {
      if (name === defaultDatabaseName) throw alwaysThere();
      await change(name, async (transaction, id) => {
        const { count } = await transaction.database.updateMany({
          where: { id, name, deletingAt: null },
          data: { deletingAt: new Date() },
        });
        if (count === 0) return;
        await recordAudit(transaction, doer, {
          action: 'database.delete',
          database: name,
          subject: name,
          before: { name },
        });
      });
      return get(name);
    },
    async collections(databaseId) {
      type Row = { name: string; createdAt: Date; documents: number };
      const { rows } = await pool.query<Row>({ ...selectCollections, values: [databaseId] });
      return rows.map((row) => ({ ...row, createdAt: row.createdAt.toISOString() }));
    },
  };
}

function checkName(name: string): void {
  if (!databaseNamePattern.test(name))
    throw invalid('/name', 'this cannot be the name of a database', databaseNameRule);
}

async function orTaken<T>(name: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!isUniqueViolation(error)) throw error;
    throw new Problem('conflict', `A database with the name ${name} exists already.`, { cause: error });
  }
}

function alwaysThere(): Problem {
  return new Problem(
    'conflict',
    `The database ${defaultDatabaseName} is the one that is meant when none is named: it is neither renamed nor deleted.`,
  );
}

function notFound(): Problem {
  return new Problem('not_found', 'There is no database with this name.');
}

type Row = {
  name: string;
  settings: unknown;
  createdAt: Date;
  log: { head: bigint; oldest: bigint } | null;
  logSize: { bytes: bigint } | null;
  deletingAt: Date | null;
  deletion: unknown;
};

function encodeDatabase({ name, settings, createdAt, log, logSize, deletingAt, deletion }: Row): DatabaseAnswer {
  const counted = deletion === null ? null : deletionProgressSchema.parse(deletion);
  return {
    name,
    settings: databaseSettingsSchema.parse(settings),
    head: Number(log?.head ?? 0),
    oldest: Number(log?.oldest ?? 1),
    bytes: logSize === null ? null : Number(logSize.bytes),
    createdAt: createdAt.toISOString(),
    deletion:
      deletingAt === null
        ? null
        : { since: deletingAt.toISOString(), total: counted?.total ?? null, deleted: counted?.deleted ?? 0 },
  };
}

function isUniqueViolation(error: unknown): boolean {
  return typeof error === 'object' && error !== null && 'code' in error && error.code === UNIQUE_VIOLATION;
}
