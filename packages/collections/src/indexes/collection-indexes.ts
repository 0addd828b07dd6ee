/** The declared indexes of a collection, as admins see and change them. What is declared here, the index builder builds. */
import { type AuditChange, auditStatement, auditValue, type Doer, systemDoer } from '@tidewire/access/audit-log';
import type { Catalog } from '@tidewire/db/catalog';
import type { SqlClient, SqlPool } from '@tidewire/db/sql-pool';
import {
  type CreateIndexRequest,
  type IndexAnswer,
  type IndexDefinition,
  type IndexError,
  type IndexProgress,
  type IndexState,
  indexDefinitionSchema,
  indexErrorSchema,
  indexLimits,
} from '@tidewire/protocol/collection-schema';
import { Problem } from '@tidewire/protocol/problem';
import { defaultIndexName, parseDefinition } from './index-definition.js';
import { progressOf } from './index-progress.js';

/** Where the index is. */
export type IndexTarget = { databaseId: number; collection: string };

export interface CollectionIndexes {
  /** By name. Throws `not_found` for an unknown collection. */
  list(target: IndexTarget): Promise<IndexAnswer[]>;
  /** Throws `not_found`. */
  get(target: IndexTarget, name: string): Promise<IndexAnswer>;
  /** Declares an index, which is built next. Throws `validation_failed`, `conflict` for a name or a definition that is there and for one index too many, `not_found`. */
  create(target: IndexTarget, request: CreateIndexRequest, doer?: Doer): Promise<IndexAnswer>;
  /** From now on nothing relies on it, next it is dropped; again changes nothing. Throws `not_found`, `conflict` for an index that belongs to the schema. */
  drop(target: IndexTarget, name: string, doer?: Doer): Promise<IndexAnswer>;
}

export type CollectionIndexesDeps = {
  pool: SqlPool;
  catalog: Catalog;
  /** Tells the other processes that the configuration is at least at this version now. */
  notify: (databaseId: number, configVersion: number) => void;
};

type Row = {
  name: string;
  definition: unknown;
  isOfSchema: boolean;
  state: IndexState;
  error: unknown;
  createdAt: Date;
  sizeBytes: number | null;
  isValid: boolean;
  phase: string | null;
  done: number | null;
  total: number | null;
};

/** What Postgres tells of a build counts blocks in some phases, rows or sessions in others. By the unique index (collection_id, name). */
const selectIndexes = {
  name: 'collection-indexes',
  text: `SELECT i.name, i.definition, i.is_of_schema AS "isOfSchema", i.state, i.error, i.created_at AS "createdAt",
      pg_relation_size(r.oid) AS "sizeBytes", coalesce(x.indisvalid, false) AS "isValid", p.phase,
      CASE WHEN p.blocks_total > 0 THEN p.blocks_done WHEN p.tuples_total > 0 THEN p.tuples_done ELSE p.lockers_done END AS done,
      CASE WHEN p.blocks_total > 0 THEN p.blocks_total WHEN p.tuples_total > 0 THEN p.tuples_total ELSE p.lockers_total END AS total
    FROM collection_indexes i
    LEFT JOIN LATERAL (SELECT to_regclass('documents_declared_' || i.id)::oid AS oid) r ON true
    LEFT JOIN pg_index x ON x.indexrelid = r.oid
    LEFT JOIN pg_stat_progress_create_index p ON p.index_relid = r.oid AND p.datname = current_database()
    WHERE i.collection_id = $1 AND ($2::text IS NULL OR i.name = $2) ORDER BY i.name`,
};

const selectCollection = 'SELECT id FROM collections WHERE database_id = $1 AND name = $2';
const raiseVersion = `UPDATE log_heads SET config_version = config_version + 1 WHERE database_id = $1 RETURNING config_version AS "configVersion"`;
const selectPresent = 'SELECT name, definition FROM collection_indexes WHERE collection_id = $1';

export function createCollectionIndexes({ pool, catalog, notify }: CollectionIndexesDeps): CollectionIndexes {
  async function collectionId({ databaseId, collection }: IndexTarget): Promise<number> {
    const { rows } = await pool.query<{ id: number }>(selectCollection, [databaseId, collection]);
    if (rows[0] === undefined) throw new Problem('not_found', 'There is no collection with this name.');
    return rows[0].id;
  }

  async function select(collection: number, name: string | null): Promise<IndexAnswer[]> {
    return (await pool.query<Row>({ ...selectIndexes, values: [collection, name] })).rows.map(encode);
  }

  async function get(target: IndexTarget, name: string): Promise<IndexAnswer> {
    const [found] = await select(await collectionId(target), name);
    if (found === undefined) throw noIndex();
    return found;
  }

  /** A change under the lock of the head, so that of two at once the second sees what the first has done. */
  async function change<T>(databaseId: number, work: (client: SqlClient) => Promise<T>): Promise<T> {
    const client = await pool.connect();
    try {
      await client.query('BEGIN');
      const { rows } = await client.query<{ configVersion: number }>(raiseVersion, [databaseId]);
      const result = await work(client);
      await client.query('COMMIT');
      client.release();
      const version = rows[0]?.configVersion;
      if (version !== undefined) {
        notify(databaseId, version);
        await catalog.refresh(databaseId, version);
      }
      return result;
    } catch (error) {
      const isOver = error instanceof Problem && (await client.query('ROLLBACK').then(yes, no));
      client.release(!isOver);
      throw error;
    }
  }

  return {
    list: async (target) => select(await collectionId(target), null),
    get,

    async create(target, { name: given, definition }, doer = systemDoer) {
      const normal = normalize(definition);
      parseDefinition(normal);
      const name = given ?? defaultIndexName(normal);
      const id = await collectionId(target);
      await change(target.databaseId, async (client) => {
        await checkRoom(client, id, name, normal);
        const { rowCount } = await client.query(
          `INSERT INTO collection_indexes (collection_id, name, definition) SELECT c.id, $2, $3::jsonb FROM collections c WHERE c.id = $1`,
          [id, name, JSON.stringify(normal)],
        );
        if (rowCount === 0) throw new Problem('not_found', 'There is no collection with this name.');
        const after = auditValue({ definition: normal });
        await client.query(auditStatement(doer, changeOf('index.create', target, name, { after })));
      });
      return get(target, name);
    },

    async drop(target, name, doer = systemDoer) {
      const present = await get(target, name);
      if (present.isOfSchema)
        throw new Problem(
          'conflict',
          'The index belongs to the schema of the collection: take "unique" off its field.',
        );
      const id = await collectionId(target);
      await change(target.databaseId, async (client) => {
        const { rowCount } = await client.query(
          `UPDATE collection_indexes SET state = 'dropping'
            WHERE collection_id = $1 AND name = $2 AND NOT is_of_schema AND state <> 'dropping'`,
          [id, name],
        );
        const before = auditValue({ definition: present.definition });
        if (rowCount === 1) await client.query(auditStatement(doer, changeOf('index.drop', target, name, { before })));
      });
      return { ...present, state: 'dropping', progress: null };
    },
  };
}

function changeOf(
  action: string,
  { databaseId, collection }: IndexTarget,
  name: string,
  values: Pick<AuditChange, 'before' | 'after'>,
): AuditChange {
  return { action, database: databaseId, subject: `${collection}/${name}`, ...values };
}

const yes = () => true;
const no = () => false;

/** An empty condition is none. */
function normalize(definition: IndexDefinition): IndexDefinition {
  if ('text' in definition || definition.where === null || Object.keys(definition.where).length > 0) return definition;
  return { ...definition, where: null };
}

async function checkRoom(
  client: SqlClient,
  collectionId: number,
  name: string,
  definition: IndexDefinition,
): Promise<void> {
  const { rows } = await client.query<{ name: string; definition: unknown }>(selectPresent, [collectionId]);
  if (rows.some((row) => row.name === name))
    throw new Problem('conflict', `The collection has an index ${name} already.`);
  const text = canonical(definition);
  const same = rows.find((row) => canonical(indexDefinitionSchema.parse(row.definition)) === text);
  if (same !== undefined) throw new Problem('conflict', `The index ${same.name} covers the same.`);
  if (rows.length >= indexLimits.collection)
    throw new Problem('conflict', `A collection has at most ${indexLimits.collection} indexes. Drop one first.`);
  const all = await client.query<{ count: number }>('SELECT count(*) AS count FROM collection_indexes');
  if ((all.rows[0]?.count ?? 0) >= indexLimits.server)
    throw new Problem(
      'conflict',
      `All collections of this server together have at most ${indexLimits.server} indexes.`,
    );
}

/** Equal for the same definitions, whatever the order of keys. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_key, item: unknown) =>
    typeof item === 'object' && item !== null && !Array.isArray(item)
      ? Object.fromEntries(Object.entries(item).sort(([a], [b]) => (a < b ? -1 : 1)))
      : item,
  );
}

function noIndex(): Problem {
  return new Problem('not_found', 'The collection has no index with this name.');
}

function encode(row: Row): IndexAnswer {
  const { name, isOfSchema, state, createdAt } = row;
  const error: IndexError | null = row.error === null ? null : indexErrorSchema.parse(row.error);
  return {
    name,
    definition: indexDefinitionSchema.parse(row.definition),
    isOfSchema,
    state,
    progress: state === 'building' ? progressIn(row) : null,
    sizeBytes: row.sizeBytes ?? 0,
    error,
    createdAt: createdAt.toISOString(),
  };
}

/** Before Postgres tells of it, the build waits for its turn; after that, the values are counted. */
function progressIn({ phase, done, total, isValid }: Row): IndexProgress {
  if (phase !== null) return progressOf(phase, done ?? 0, total ?? 0);
  return { progress: isValid ? 0.99 : 0, phase: isValid ? 'analyzing' : 'waiting', done: 0, total: 0 };
}
