/** Databases: made, found and listed. */
import type { AdminClient } from '@tidewire/db/client';
import type { SqlPool } from '@tidewire/db/sql-pool';
import type { CollectionAnswer, DatabaseAnswer } from '@tidewire/protocol/admin-api';
import { databaseNamePattern, databaseNameRule } from '@tidewire/protocol/names';
import { invalid, Problem } from '@tidewire/protocol/problem';
import { databaseSettingsSchema } from '@tidewire/protocol/settings';

export interface Databases {
  /** By name. */
  list(): Promise<DatabaseAnswer[]>;
  /** Throws `not_found`. */
  get(name: string): Promise<DatabaseAnswer>;
  /** With its log's head. Throws `conflict` when the name is taken, `validation_failed` when it is no name. */
  create(name: string): Promise<{ id: number; name: string }>;
  /** The database of that name, made when it is not there; safe when several processes do it at once. */
  ensure(name: string): Promise<{ id: number; name: string }>;
  /** By name, with the number of their documents. */
  collections(databaseId: number): Promise<CollectionAnswer[]>;
}

export type DatabasesDeps = { prisma: AdminClient; pool: SqlPool };

/** PostgreSQL's unique violation, as Prisma names it. */
const UNIQUE_VIOLATION = 'P2002';

/** Ordered by name; the documents are counted by their primary key (collection_id, id). */
const selectCollections = {
  name: 'database-collections',
  text: `SELECT c.name, c.created_at AS "createdAt",
      (SELECT count(*) FROM documents d WHERE d.collection_id = c.id) AS documents
    FROM collections c WHERE c.database_id = $1 ORDER BY c.name COLLATE "C"`,
};

export function createDatabases({ prisma, pool }: DatabasesDeps): Databases {
  async function create(name: string): Promise<{ id: number; name: string }> {
    if (!databaseNamePattern.test(name))
      throw invalid('name', 'this cannot be the name of a database', databaseNameRule);
    try {
      return await prisma.database.create({
        data: { name, settings: databaseSettingsSchema.parse({}), log: { create: {} } },
        select: { id: true, name: true },
      });
    } catch (error) {
      if (!isUniqueViolation(error)) throw error;
      throw new Problem('conflict', `A database with the name ${name} exists already.`, { cause: error });
    }
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
    async collections(databaseId) {
      type Row = { name: string; createdAt: Date; documents: number };
      const { rows } = await pool.query<Row>({ ...selectCollections, values: [databaseId] });
      return rows.map((row) => ({ ...row, createdAt: row.createdAt.toISOString() }));
    },
  };
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
};

function encodeDatabase({ name, settings, createdAt, log, logSize }: Row): DatabaseAnswer {
  return {
    name,
    settings: databaseSettingsSchema.parse(settings),
    head: Number(log?.head ?? 0),
    oldest: Number(log?.oldest ?? 1),
    bytes: logSize === null ? null : Number(logSize.bytes),
    createdAt: createdAt.toISOString(),
  };
}

function isUniqueViolation(error: unknown): boolean {
  return typeof error === 'object' && error !== null && 'code' in error && error.code === UNIQUE_VIOLATION;
}
