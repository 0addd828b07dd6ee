/**
 * The schemas of collections: set, read, removed, and what the present documents say to one.
 *
 * Why no document is stored past the schema of its time, and none is overlooked when a schema is taken:
 * 1. The documents of a snapshot are checked without any lock, then the events behind the snapshot's head, page by page, until few are left.
 * 2. The head's row is locked. Every write takes that lock before it commits, so the events up to this head are all that there are, and the few that are left are checked. The
 *    verdict holds for exactly the documents that are there.
 * 3. The schema is stored and the configuration version raised in the same transaction. A write that was planned with an older version is not committed by
 *    the lane's short way (its statement asks for the version), and the general way reads the version under this very lock.
 */
import { auditStatement, type Doer, systemDoer } from '@tidewire/access/audit-log';
import type { Catalog } from '@tidewire/db/catalog';
import type { SqlClient, SqlPool } from '@tidewire/db/sql-pool';
import { type IndexDefinition, indexLimits, type SchemaCheck } from '@tidewire/protocol/collection-schema';
import type { JsonObject, JsonValue } from '@tidewire/protocol/json';
import { collectionNamePattern, collectionNameRule } from '@tidewire/protocol/names';
import { invalid, Problem, pointerTo } from '@tidewire/protocol/problem';
import { uniqueExpression } from '@tidewire/query/index-expression';
import { type CompiledShape, compileShape } from './compile-shape.js';
import { SchemaTally } from './schema-tally.js';

/** Where the schema is. */
export type SchemaTarget = { databaseId: number; collection: string };

export interface CollectionSchemas {
  /** Makes an empty collection; false when it is there already. Throws `validation_failed` for what is no name. */
  create(target: SchemaTarget, doer?: Doer): Promise<boolean>;
  /** Name, documents and schema. Throws `not_found`. */
  get(target: SchemaTarget): Promise<CollectionRow>;
  /**
   * Holds the present documents to the schema and changes nothing. Throws `validation_failed` with JSON Pointers in the schema, `not_found`, and `too_many_requests`
   * while others are being checked.
   */
  check(target: SchemaTarget, schema: JsonValue): Promise<SchemaCheck>;
  /**
   * The same, and takes the schema in the same instant for which the answer holds. When documents fail it, throws `conflict` with the answer as its extension, unless
   * `acceptFailing`: then they stay as they are until they are next changed. Counters go on behind the greatest number that is there.
   */
  put(target: SchemaTarget, schema: JsonValue, options: { acceptFailing: boolean }, doer?: Doer): Promise<SchemaCheck>;
  /** From now on the collection takes any JSON object. Its counters go on if a schema declares them again. Throws `not_found`. */
  remove(target: SchemaTarget, doer?: Doer): Promise<void>;
}

/** A collection as it is now. */
export type CollectionRow = {
  id: number;
  name: string;
  documents: number;
  createdAt: string;
  schema: JsonObject | null;
};

export type CollectionSchemasDeps = {
  /** A check keeps one of its connections for as long as it takes. */
  pool: SqlPool;
  catalog: Catalog;
  /** Tells the other processes that the configuration is at least at this version now. */
  notify: (databaseId: number, configVersion: number) => void;
};

/** Checks of this process at a time: each holds a connection and a snapshot. */
const checksLimit = 2;
/** Most rows that are read at a time, and the text that this aims at. */
const fetchLimit = 500;
const fetchAimChars = 1024 * 1024;
/** So many events may be left to be checked under the lock. */
const eventsUnderLock = 200;
/** So often it is tried to come close to the head before the lock is taken all the same. */
const catchUpRounds = 100;
/** When even then more is left than this, writers would wait too long. */
const mostEventsUnderLock = 5_000;

const selectCollection = {
  name: 'schema-collection',
  text: `SELECT c.id, c.name, c.created_at AS "createdAt", c.schema::text AS schema,
      (SELECT count(*) FROM documents d WHERE d.collection_id = c.id) AS documents
    FROM collections c WHERE c.database_id = $1 AND c.name = $2`,
};
const selectCollectionId = 'SELECT id FROM collections WHERE database_id = $1 AND name = $2';
const selectSchema = 'SELECT schema FROM collections WHERE database_id = $1 AND name = $2';
const selectHead = 'SELECT head, oldest FROM log_heads WHERE database_id = $1';
const lockHead = 'SELECT head, oldest FROM log_heads WHERE database_id = $1 FOR UPDATE';
const raiseVersion = `UPDATE log_heads SET config_version = config_version + 1 WHERE database_id = $1
  RETURNING config_version AS "configVersion"`;
/** Along the primary key (database_id, id). */
const selectEvents = `SELECT id, document_id AS "documentId", before::text AS before, after::text AS after FROM events
  WHERE database_id = $1 AND id > $2 AND id <= $3 AND collection_id = $4 AND document_id IS NOT NULL ORDER BY id LIMIT $5`;
/** Along the primary key (collection_id, id). */
const declareDocuments = `DECLARE documents_of_check NO SCROLL CURSOR FOR
  SELECT d.id, d.body::text AS body FROM documents d WHERE d.collection_id = $1 ORDER BY d.id`;
/** The ids of all documents that share a value; one pass and a sort, on disk if it must be. */
const selectDoubles = (field: string) => `SELECT id FROM (
    SELECT id, count(*) OVER (PARTITION BY value) AS times
    FROM (SELECT id, ${uniqueExpression([field])} AS value FROM documents WHERE collection_id = $1) AS valued WHERE value IS NOT NULL
  ) AS counted WHERE times > 1 ORDER BY id`;

type Head = { head: number; oldest: number };
/** What was checked up to which head. */
type Pass = { tally: SchemaTally; head: number; collectionId: number };

export function createCollectionSchemas({ pool, catalog, notify }: CollectionSchemasDeps): CollectionSchemas {
  let checks = 0;

  async function withClient<T>(use: (client: SqlClient) => Promise<T>): Promise<T> {
    const client = await pool.connect();
    let isOver = false;
    try {
      const result = await use(client);
      isOver = true;
      return result;
    } catch (error) {
      isOver = error instanceof Problem && (await client.query('ROLLBACK').then(yes, no));
      throw error;
    } finally {
      client.release(!isOver);
    }
  }

  /** Under the head's lock; `work` says whether the configuration has changed, else nothing is kept. */
  async function change(
    databaseId: number,
    work: (client: SqlClient, head: Head) => Promise<boolean>,
  ): Promise<boolean> {
    const version = await withClient(async (client) => {
      await client.query('BEGIN');
      const head = await readHead(client, lockHead, databaseId);
      if (!(await work(client, head))) {
        await client.query('ROLLBACK');
        return null;
      }
      const { rows } = await client.query<{ configVersion: number }>(raiseVersion, [databaseId]);
      await client.query('COMMIT');
      return rows[0]?.configVersion ?? null;
    });
    if (version === null) return false;
    notify(databaseId, version);
    await catalog.refresh(databaseId, version);
    return true;
  }

  async function limited<T>(work: () => Promise<T>): Promise<T> {
    if (checks >= checksLimit) throw tooManyChecks();
    checks += 1;
    try {
      return await work();
    } finally {
      checks -= 1;
    }
  }

  /** The documents of one snapshot, in bounded memory. */
  function checkSnapshot(target: SchemaTarget, shape: CompiledShape): Promise<Pass> {
    return withClient(async (client) => {
      await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
      const collectionId = await idOf(client, target);
      const { head } = await readHead(client, selectHead, target.databaseId);
      const tally = new SchemaTally(shape);
      const doubles = await openDoubles(client, collectionId, await fieldsToCheck(client, collectionId, shape));
      await client.query(declareDocuments, [collectionId]);
      for (let count = 50; ; ) {
        const { rows } = await client.query<{ id: string; body: string }>(`FETCH ${count} FROM documents_of_check`);
        for (const { id, body } of rows) tally.document(id, JSON.parse(body) as JsonObject, await doubles(id));
        if (rows.length < count) break;
        count = nextCount(
          count,
          rows.reduce((sum, { body }) => sum + body.length, 0),
        );
      }
      await client.query('COMMIT');
      return { tally, head, collectionId };
    });
  }

  /** The events up to the head that is there when it begins; without a lock, so there may be more when it ends. */
  function catchUp(databaseId: number, pass: Pass): Promise<void> {
    return withClient(async (client) => {
      for (let round = 0; round < catchUpRounds; round += 1) {
        const head = await readHead(client, selectHead, databaseId);
        if (head.head - pass.head <= eventsUnderLock) return;
        await consume(client, databaseId, pass, head);
      }
    });
  }

  async function take(
    target: SchemaTarget,
    schema: JsonObject,
    shape: CompiledShape,
    { acceptFailing, doer }: { acceptFailing: boolean; doer: Doer },
  ): Promise<SchemaCheck> {
    const { databaseId } = target;
    const pass = await checkSnapshot(target, shape);
    await catchUp(databaseId, pass);
    await change(databaseId, async (client, head) => {
      if ((await idOf(client, target)) !== pass.collectionId) throw noCollection();
      if (head.head - pass.head > mostEventsUnderLock) throw tooBusy();
      await consume(client, databaseId, pass, head);
      if (pass.tally.hasFailing && !acceptFailing) throw documentsFail(pass.tally.result());
      await replaceSchema(client, target, schema, doer);
      await storeCounters(client, pass, shape);
      await declareUnique(client, pass.collectionId, shape.unique);
      return true;
    });
    return pass.tally.result();
  }

  return {
    async create({ databaseId, collection }, doer = systemDoer) {
      if (!collectionNamePattern.test(collection))
        throw invalid('collection', 'this cannot be the name of a collection', collectionNameRule);
      return change(databaseId, async (client) => {
        const { rowCount } = await client.query(
          'INSERT INTO collections (database_id, name) VALUES ($1, $2) ON CONFLICT (database_id, name) DO NOTHING',
          [databaseId, collection],
        );
        if (rowCount === 0) return false;
        const after = { name: collection };
        const change = { action: 'collection.create', database: databaseId, subject: collection, after };
        await client.query(auditStatement(doer, change));
        return true;
      });
    },

    async get({ databaseId, collection }) {
      type Row = Omit<CollectionRow, 'createdAt' | 'schema'> & { createdAt: Date; schema: string | null };
      const { rows } = await pool.query<Row>({ ...selectCollection, values: [databaseId, collection] });
      const [row] = rows;
      if (row === undefined) throw noCollection();
      const schema = row.schema === null ? null : (JSON.parse(row.schema) as JsonObject);
      return { ...row, schema, createdAt: row.createdAt.toISOString() };
    },

    check(target, schema) {
      const shape = compileShape(schema);
      return limited(async () => (await checkSnapshot(target, shape)).tally.result());
    },

    put(target, schema, { acceptFailing }, doer = systemDoer) {
      const shape = compileShape(schema);
      return limited(() => take(target, schema as JsonObject, shape, { acceptFailing, doer }));
    },

    async remove(target, doer = systemDoer) {
      await change(target.databaseId, async (client) => {
        const collectionId = await idOf(client, target);
        const hadSchema = await replaceSchema(client, target, null, doer);
        await declareUnique(client, collectionId, []);
        return hadSchema;
      });
    },
  };
}

/** As many rows as fill the aim when the next ones are like these; at most twice as many, for they may be larger. */
function nextCount(count: number, chars: number): number {
  return Math.max(1, Math.min(fetchLimit, count * 2, Math.floor((count * fetchAimChars) / Math.max(chars, 1))));
}

/** With its entry in the audit log. Under the head's lock, as are all changes of schemas. False when there was none and there is none. */
async function replaceSchema(
  client: SqlClient,
  { databaseId, collection }: SchemaTarget,
  schema: JsonObject | null,
  doer: Doer,
): Promise<boolean> {
  const values = [databaseId, collection];
  const present = await client.query<{ schema: JsonObject | null }>(selectSchema, values);
  const before = present.rows[0]?.schema ?? null;
  if (before === null && schema === null) return false;
  await client.query('UPDATE collections SET schema = $3::json WHERE database_id = $1 AND name = $2', [
    ...values,
    schema === null ? null : JSON.stringify(schema),
  ]);
  const action = schema === null ? 'schema.remove' : 'schema.update';
  await client.query(
    auditStatement(doer, { action, database: databaseId, subject: collection, before, after: schema }),
  );
  return true;
}

const yes = () => true;
const no = () => false;

async function readHead(client: SqlClient, text: string, databaseId: number): Promise<Head> {
  const { rows } = await client.query<Head>(text, [databaseId]);
  if (rows[0] === undefined) throw new Problem('not_found', 'The database does not exist.');
  return rows[0];
}

async function idOf(client: SqlClient, { databaseId, collection }: SchemaTarget): Promise<number> {
  const { rows } = await client.query<{ id: number }>(selectCollectionId, [databaseId, collection]);
  if (rows[0] === undefined) throw noCollection();
  return rows[0].id;
}

/** Tells the tally all events of the collection up to the head. */
async function consume(client: SqlClient, databaseId: number, pass: Pass, { head, oldest }: Head): Promise<void> {
  if (oldest > pass.head + 1) throw tooBusy();
  for (let count = 50; ; ) {
    type Row = { id: number; documentId: string; before: string | null; after: string | null };
    const { rows } = await client.query<Row>(selectEvents, [databaseId, pass.head, head, pass.collectionId, count]);
    for (const { id, documentId, before, after } of rows) {
      pass.tally.event({ documentId, before: parsed(before), after: parsed(after) });
      pass.head = id;
    }
    if (rows.length < count) break;
    const chars = rows.reduce((sum, { before, after }) => sum + (before?.length ?? 0) + (after?.length ?? 0), 0);
    count = nextCount(count, chars);
  }
  pass.head = head;
}

function parsed(text: string | null): JsonObject | null {
  return text === null ? null : (JSON.parse(text) as JsonObject);
}

/** Where a unique index of the schema stands already, there is nothing to be found. */
async function fieldsToCheck(client: SqlClient, collectionId: number, { unique }: CompiledShape): Promise<string[]> {
  const { rows } = await client.query<{ name: string }>(
    `SELECT name FROM collection_indexes WHERE collection_id = $1 AND is_of_schema AND state = 'ready'`,
    [collectionId],
  );
  const held = new Set(rows.map(({ name }) => name));
  return unique.filter((field) => !held.has(indexNameOf(field)));
}

/** For ids that are asked for in ascending order: the fields whose values the document shares with others. */
async function openDoubles(client: SqlClient, collectionId: number, fields: readonly string[]) {
  const lists = await Promise.all(
    fields.map((field, index) => openList(client, `doubles_${index}`, field, collectionId)),
  );
  return async (id: string): Promise<string[]> => {
    const found: string[] = [];
    for (const { field, next } of lists) if (await next(id)) found.push(field);
    return found;
  };
}

/** A cursor of ids, walked along beside the documents. */
async function openList(client: SqlClient, name: string, field: string, collectionId: number) {
  await client.query(`DECLARE ${name} NO SCROLL CURSOR FOR ${selectDoubles(field)}`, [collectionId]);
  let ids: string[] = [];
  let at = 0;
  let isMore = true;
  const next = async (id: string): Promise<boolean> => {
    for (;;) {
      if (at === ids.length) {
        if (!isMore) return false;
        const { rows } = await client.query<{ id: string }>(`FETCH 1000 FROM ${name}`);
        ids = rows.map((row) => row.id);
        isMore = ids.length === 1_000;
        at = 0;
        if (ids.length === 0) return false;
      }
      const here = ids[at] ?? '';
      if (here >= id) return here === id;
      at += 1;
    }
  };
  return { field, next };
}

/** Behind the greatest number that is there, and never back: a number is not given twice, even when the counter was away for a while. */
async function storeCounters(
  client: SqlClient,
  { tally, collectionId }: Pass,
  { counters }: CompiledShape,
): Promise<void> {
  for (const { field, start, step } of counters) {
    const greatest = Math.floor(tally.greatest.get(field) ?? Number.NEGATIVE_INFINITY);
    if (greatest > Number.MAX_SAFE_INTEGER - step)
      throw invalid(
        `/properties${pointerTo(field)}/autoIncrement`,
        `a document has the number ${greatest} there, behind which none can be counted`,
        `numbers up to ${Number.MAX_SAFE_INTEGER - step}`,
      );
    await client.query(
      `INSERT INTO collection_counters (collection_id, field, value) VALUES ($1, $2, $3)
        ON CONFLICT (collection_id, field) DO UPDATE SET value = greatest(collection_counters.value, excluded.value)`,
      [collectionId, field, Math.max(greatest, start - step)],
    );
  }
}

function indexNameOf(field: string): string {
  return `schema_${field}`;
}

/** Makes the indexes of the schema those of its unique fields: what is to go is marked, and what was marked may be wanted again. The builder does the rest. */
async function declareUnique(client: SqlClient, collectionId: number, fields: readonly string[]): Promise<void> {
  const names = fields.map(indexNameOf);
  const definitions = fields.map((field): IndexDefinition => ({ fields: [field], unique: true, where: null }));
  const taken = await client.query<{ name: string }>(
    'SELECT name FROM collection_indexes WHERE collection_id = $1 AND NOT is_of_schema AND name = ANY($2)',
    [collectionId, names],
  );
  const [clash] = taken.rows;
  if (clash !== undefined)
    throw new Problem(
      'conflict',
      `The collection has an index ${clash.name}, whose name the schema needs. Drop it first.`,
    );
  await client.query(
    `UPDATE collection_indexes SET state = 'dropping' WHERE collection_id = $1 AND is_of_schema AND NOT (name = ANY($2))`,
    [collectionId, names],
  );
  await client.query(
    `INSERT INTO collection_indexes (collection_id, name, definition, is_of_schema)
      SELECT $1, u.name, u.definition, true FROM unnest($2::text[], $3::jsonb[]) AS u(name, definition)
      ON CONFLICT (collection_id, name) DO UPDATE SET state = 'building', error = NULL
        WHERE collection_indexes.state IN ('dropping', 'failed')`,
    [collectionId, names, definitions.map((definition) => JSON.stringify(definition))],
  );
  const { rows } = await client.query<{ count: number }>(
    `SELECT count(*) AS count FROM collection_indexes WHERE collection_id = $1 AND state <> 'dropping'`,
    [collectionId],
  );
  if (fields.length > 0 && (rows[0]?.count ?? 0) > indexLimits.collection)
    throw new Problem(
      'conflict',
      `A collection has at most ${indexLimits.collection} indexes, those of unique fields counted. Drop one first.`,
    );
}

function noCollection(): Problem {
  return new Problem('not_found', 'There is no collection with this name.');
}

function documentsFail(check: SchemaCheck): Problem {
  return new Problem(
    'conflict',
    `${check.failingCount} of ${check.checked} documents fail this schema. Mend them, or take it with acceptFailing=true: then they stay as they are until they are next changed.`,
    { extension: check },
  );
}

function tooBusy(): Problem {
  return new Problem(
    'unavailable',
    'So much is written to the database that the check cannot keep up; nothing was changed. Try again.',
    {
      headers: { 'Retry-After': '5' },
    },
  );
}

function tooManyChecks(): Problem {
  return new Problem(
    'too_many_requests',
    `${checksLimit} schemas are being checked already. Try again when one is done.`,
    {
      headers: { 'Retry-After': '5' },
    },
  );
}
