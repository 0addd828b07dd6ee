/** Reading documents, as the JSON texts of answers: prepared statements on the raw pool; bodies stay text. */
import type { StoredDocument } from '@tidewire/change-log/document-writes';
import type { CatalogDatabase } from '@tidewire/db/catalog';
import type { SqlPool } from '@tidewire/db/sql-pool';
import { Problem } from '@tidewire/protocol/problem';
import pg from 'pg';
import { encodeDocument, encodeWithMetafields } from './encode-document.js';

export interface DocumentReader {
  /** The collection's id: from the snapshot, else read, for another process may just have made it; null when there is none. */
  findCollection(database: CatalogDatabase, name: string): Promise<number | null>;
  /** One document, or null. */
  get(collectionId: number, id: string, options: { metafields: boolean }): Promise<string | null>;
  /** A page in the order of `_id`. Throws `bad_request` when it would be larger than 32 Mi characters. */
  list(collectionId: number, page: ListPage): Promise<string[]>;
  /** How many documents the collection has. */
  count(collectionId: number): Promise<number>;
}

export type ListPage = { max: number; skip: number; metafields: boolean };

/** Most characters of a page: V8 holds no string over 512 Mi, and several pages are in memory at a time. */
export const pageLimitChars = 32 * 1024 * 1024;

/** Without metafields nothing else is read: two times to be parsed for each row would cost as much as all the rest. */
const plainColumns = 'd.id, d.body::text';
const isoTime = (column: string) => `to_char(${column} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`;
const allColumns = `${plainColumns}, d.version, ${isoTime('d.created_at')}, ${isoTime('d.changed_at')}, d.created_by, d.changed_by`;

/** By the unique index (database_id, name). */
const selectCollection = {
  name: 'collections-find',
  text: 'SELECT id FROM collections WHERE database_id = $1 AND name = $2',
};

/** By the primary key (collection_id, id). */
const selectDocument = bothForms(
  'collections-get',
  (columns) => `SELECT ${columns} FROM documents d WHERE d.collection_id = $1 AND d.id = $2`,
);

/** Ordered by `_id`, along the primary key (collection_id, id); skipped rows are walked over. */
const selectPage = bothForms(
  'collections-list',
  (columns) => `SELECT ${columns} FROM documents d WHERE d.collection_id = $1 ORDER BY d.id LIMIT $2 OFFSET $3`,
);

/** Walks the collection's part of the primary key. */
const countDocuments = {
  name: 'collections-count',
  text: 'SELECT count(*) AS total FROM documents WHERE collection_id = $1',
};

type PlainRow = [id: string, body: string];
type WholeRow = [
  ...PlainRow,
  version: number,
  createdAt: string,
  changedAt: string,
  createdBy: string,
  changedBy: string,
];
type Form<R> = { name: string; text: string; encode: (row: R) => string };

function bothForms(name: string, text: (columns: string) => string): { plain: Form<PlainRow>; whole: Form<WholeRow> } {
  return {
    plain: { name, text: text(plainColumns), encode: ([id, body]) => encodeDocument({ id, body }) },
    whole: { name: `${name}-whole`, text: text(allColumns), encode: (row) => encodeWithMetafields(decode(row)) },
  };
}

export function createDocumentReader(pool: SqlPool): DocumentReader {
  async function getIn<R extends unknown[]>({ encode, ...query }: Form<R>, values: unknown[]): Promise<string | null> {
    const { rows } = await pool.query<R>({ ...query, rowMode: 'array', values });
    return rows[0] === undefined ? null : encode(rows[0]);
  }

  return {
    async findCollection(database, name) {
      const known = database.collections.get(name);
      if (known !== undefined) return known;
      const { rows } = await pool.query<{ id: number }>({ ...selectCollection, values: [database.id, name] });
      return rows[0]?.id ?? null;
    },
    get(collectionId, id, { metafields }) {
      const values = [collectionId, id];
      return metafields ? getIn(selectDocument.whole, values) : getIn(selectDocument.plain, values);
    },
    list(collectionId, { max, skip, metafields }) {
      const values = [collectionId, max, skip];
      return metafields ? listIn(pool, selectPage.whole, values) : listIn(pool, selectPage.plain, values);
    },
    async count(collectionId) {
      const { rows } = await pool.query<{ total: number }>({ ...countDocuments, values: [collectionId] });
      return rows[0]?.total ?? 0;
    },
  };
}

/**
 * Takes the rows one by one, so that a page that grows too large is given up before it fills the memory. Then the connection is closed, for there is no
 * other way to make Postgres stop sending.
 */
async function listIn<R>(pool: SqlPool, { encode, ...form }: Form<R>, values: unknown[]): Promise<string[]> {
  const client = await pool.connect();
  // A connection that dies says so to its query and here; without a listener Node would exit.
  const onError = () => undefined;
  client.on('error', onError);
  const texts: string[] = [];
  let size = 0;
  try {
    await new Promise<void>((resolve, reject) => {
      const config: pg.QueryArrayConfig = { ...form, rowMode: 'array', values };
      const query = new pg.Query<R & pg.QueryResultRow>(config);
      query.on('row', (row) => {
        if (size > pageLimitChars) return;
        const text = encode(row);
        size += text.length;
        if (size <= pageLimitChars) texts.push(text);
        else reject(pageTooLarge());
      });
      query.on('end', () => resolve());
      query.on('error', reject);
      client.query(query);
    });
    client.off('error', onError);
    client.release();
  } catch (error) {
    client.release(true);
    throw error;
  }
  return texts;
}

function decode([id, body, version, createdAt, changedAt, createdBy, changedBy]: WholeRow): StoredDocument {
  return { id, body, version, createdAt, changedAt, createdBy, changedBy };
}

function pageTooLarge(): Problem {
  const limit = `${pageLimitChars / 1024 / 1024} MiB`;
  return new Problem(
    'bad_request',
    `The answer would be larger than ${limit}. Ask for fewer documents at a time, with max.`,
  );
}
