/** Reading documents from Postgres, on the raw pool; bodies stay text. What is asked for most has prepared statements, the rest is made for each request. */
import type { StoredDocument } from '@tidewire/change-log/document-writes';
import type { SqlClient, SqlPool } from '@tidewire/db/sql-pool';
import { aggregateToSql } from '@tidewire/query/aggregate-to-sql';
import type { AggregateOutcome, Aggregation } from '@tidewire/query/aggregation';
import type { Filter } from '@tidewire/query/ast';
import type { CursorValues } from '@tidewire/query/cursor';
import type { DeclaredIndexes } from '@tidewire/query/declared-index';
import { pageToSql } from '@tidewire/query/page-to-sql';
import type { Sort } from '@tidewire/query/sort';
import { SqlParameters } from '@tidewire/query/sql-parameters';
import { toSql } from '@tidewire/query/to-sql';
import pg from 'pg';
import { type Moment, pageAsOf, readAsOf } from './documents-as-of.js';
import { encodeDocument, encodeWithMetafields } from './encode-document.js';
import { answerTooLarge, pageLimitChars } from './page-limit.js';
import type { ReadGate } from './read-gate.js';
import type { Mask } from './rule-mask.js';

/** A page in the order of `_id`, found by position or behind an id. */
export type PlainPage = { max: number; skip: number; metafields: boolean; afterId: string | null };

/**
 * A page in any order. `filter` null: of all documents; `sort` null: by `_id`; `whole`: the last row is wanted with all its columns; `indexes`: of the collection; `mask`: what is hidden of
 * the documents.
 */
export type FoundPage = {
  indexes: DeclaredIndexes;
  filter: Filter | null;
  sort: Sort | null;
  max: number;
  skip: number;
  after: CursorValues | null;
  metafields: boolean;
  whole: boolean;
  totals: boolean;
  mask?: Mask | null;
};

/** `last`: the last document of the page, with its metafields if the page has whole rows, else as `_id` and body; null in an empty page. */
export type Page = { texts: string[]; last: LastDocument | null; hasMore: boolean; total: number | null };
/** The last document of a page. */
export type LastDocument = Pick<StoredDocument, 'id' | 'body'> | StoredDocument;

export interface DocumentReader {
  /** One document, or null. */
  get(collectionId: number, id: string): Promise<StoredDocument | null>;
  /** A page in the order of `_id`. Throws `bad_request` when it would be larger than 32 Mi characters. */
  list(collectionId: number, page: PlainPage): Promise<Page>;
  /** A page of what the filter lets through, and how many there are if `totals`, in one snapshot. Refuses as `list` and the gate do. */
  find(collectionId: number, page: FoundPage): Promise<Page>;
  /** Groups and aggregates of what the filter lets through. Refuses as the gate does. */
  aggregate(
    collectionId: number,
    filter: Filter | null,
    aggregation: Aggregation,
    indexes: DeclaredIndexes,
  ): Promise<AggregateOutcome>;
}

/** Without metafields nothing else is read: two times to be parsed for each row would cost as much as all the rest. */
const plainColumns = 'd.id, d.body::text';
const isoTime = (column: string) => `to_char(${column} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`;
const allColumns = `${plainColumns}, d.version, ${isoTime('d.created_at')}, ${isoTime('d.changed_at')}, d.created_by, d.changed_by`;

/** By the primary key (collection_id, id). */
const selectDocument = {
  name: 'collections-get',
  text: `SELECT ${allColumns} FROM documents d WHERE d.collection_id = $1 AND d.id = $2`,
};

/** Whole documents for the aggregates that give one. */
const documentObject = `jsonb_build_object('_id', d.id) || d.data`;

type PlainRow = [id: string, body: string];
type WholeRow = [
  ...PlainRow,
  version: number,
  createdAt: string,
  changedAt: string,
  createdBy: string,
  changedBy: string,
];
/** How the rows of a statement become documents and texts. */
export type Form = { columns: string; decode(row: unknown[]): LastDocument; encode(row: unknown[]): string };

/** Without metafields. */
export const plainForm: Form = {
  columns: plainColumns,
  decode: (row) => decodePlain(row as PlainRow),
  encode: (row) => encodeDocument(decodePlain(row as PlainRow)),
};
/** With metafields. */
export const wholeForm: Form = {
  columns: allColumns,
  decode: (row) => decodeWhole(row as WholeRow),
  encode: (row) => encodeWithMetafields(decodeWhole(row as WholeRow)),
};
/** For orders by other fields than `_id`: the last row is needed whole, the texts are not. */
const wholeRowsPlainTexts: Form = { ...wholeForm, encode: plainForm.encode };

/** A statement with its parameters; one with a name is prepared once for each connection. */
export type Statement = { name?: string; text: string; values: unknown[] };

function bothForms(name: string, text: (columns: string) => string) {
  return {
    plain: { form: plainForm, name, text: text(plainForm.columns) },
    whole: { form: wholeForm, name: `${name}-whole`, text: text(wholeForm.columns) },
  };
}

/** Ordered by `_id`, along the primary key (collection_id, id); skipped rows are walked over. */
const selectPage = bothForms(
  'collections-list',
  (columns) => `SELECT ${columns} FROM documents d WHERE d.collection_id = $1 ORDER BY d.id LIMIT $2 OFFSET $3`,
);

/** The same from a place on: the primary key goes straight there. */
const selectPageAfter = bothForms(
  'collections-list-after',
  (columns) => `SELECT ${columns} FROM documents d WHERE d.collection_id = $1 AND d.id > $3 ORDER BY d.id LIMIT $2`,
);

/** `gate`: the way of the reads whose cost the caller decides. */
export function createDocumentReader(pool: SqlPool, gate: ReadGate): DocumentReader {
  return createReaderOf({ direct: (work) => onClient(pool, work), gate });
}

/** How Postgres is reached. `gate`: for reads whose cost the caller decides; `direct`: for the others. */
export type ReadPaths = { direct: ReadGate; gate: ReadGate };

/** The same over any paths. */
export function createReaderOf({ direct, gate }: ReadPaths): DocumentReader {
  return {
    ...createFinder(gate, null),
    async get(collectionId, id) {
      const values = [collectionId, id];
      const { rows } = await direct((client) =>
        client.query<WholeRow>({ ...selectDocument, rowMode: 'array', values }),
      );
      return rows[0] === undefined ? null : decodeWhole(rows[0]);
    },

    async list(collectionId, { max, skip, metafields, afterId }) {
      const forms = afterId === null ? selectPage : selectPageAfter;
      const { form, ...statement } = metafields ? forms.whole : forms.plain;
      const values = [collectionId, max + 1, afterId ?? skip];
      return {
        ...(await direct((client) => readPage(client, { ...statement, values }, form, max))),
        total: null,
      };
    },
  };
}

/** Everything through the gate, which must be that of the moment (`gateAsOf`). */
export function createPastReader(gate: ReadGate, moment: Moment): DocumentReader {
  const { name: _, text } = selectDocument;
  return {
    ...createFinder(gate, moment),

    async get(collectionId, id) {
      const statement = readAsOf({ text, values: [collectionId, id] }, moment);
      const { rows } = await gate((client) => client.query<WholeRow>({ ...statement, rowMode: 'array' }));
      return rows[0] === undefined ? null : decodeWhole(rows[0]);
    },

    list(collectionId, { max, skip, metafields, afterId }) {
      const form = metafields ? wholeForm : plainForm;
      const { columns } = form;
      const statement = pageAsOf({ columns, collectionId, afterId, limit: max + 1, offset: skip }, moment);
      return gate(async (client) => ({ ...(await readPage(client, statement, form, max)), total: null }));
    },
  };
}

/** The reads whose cost the caller decides: now, or of a moment. */
function createFinder(gate: ReadGate, moment: Moment | null): Pick<DocumentReader, 'find' | 'aggregate'> {
  return {
    find(collectionId, page) {
      const form = formOfPage(page);
      const statement = readAsOf(findStatement(collectionId, page, form), moment);
      return gate(async (client) => {
        const total = page.totals ? await count(client, collectionId, page, moment) : null;
        return { ...(await readPage(client, statement, form, page.max)), total };
      });
    },

    async aggregate(collectionId, filter, aggregation, indexes) {
      const parameters = new SqlParameters([collectionId]);
      const where = whereOf({ filter, indexes }, parameters);
      const source = { from: 'documents d', where, alias: 'd', document: documentObject };
      const { sql, read } = aggregateToSql(aggregation, source, parameters);
      const statement = readAsOf({ text: sql, values: parameters.values }, moment);
      return read(await gate((client) => readRows(client, statement)));
    },
  };
}

function formOfPage({ metafields, whole, mask = null }: FoundPage): Form {
  const isWhole = metafields || whole || mask?.needsWhole === true;
  const form = metafields ? wholeForm : isWhole ? wholeRowsPlainTexts : plainForm;
  if (mask === null) return form;
  const decode = (row: unknown[]) => mask.apply(form.decode(row));
  return { columns: form.columns, decode, encode: (row) => encodeAs(decode(row), metafields) };
}

function encodeAs(document: LastDocument, metafields: boolean): string {
  return metafields && 'version' in document ? encodeWithMetafields(document) : encodeDocument(document);
}

/** What `find` finds, as documents, within a transaction that is open; `max` of them at most. */
export async function findDocuments(
  client: SqlClient,
  collectionId: number,
  page: FoundPage,
): Promise<{ documents: StoredDocument[]; total: number | null }> {
  const total = page.totals ? await count(client, collectionId, page, null) : null;
  const statement = findStatement(collectionId, { ...page, max: page.max - 1 }, wholeForm);
  const documents: StoredDocument[] = [];
  await eachRow(client, { ...statement, rowMode: 'array' }, (row: unknown[]) => {
    const document = decodeWhole(row as WholeRow);
    documents.push(document);
    return document.body.length;
  });
  return { documents, total };
}

const ofCollection = 'd.collection_id = $1';

/** Conditions on the collection ($1) and the filter; the index is the primary key's, or a declared one. */
function whereOf({ filter, indexes }: Pick<FoundPage, 'filter' | 'indexes'>, parameters: SqlParameters): string {
  return filter === null ? ofCollection : `${ofCollection} AND ${toSql(filter, parameters, { alias: 'd', indexes })}`;
}

/** Ordered by the sort, which ends in `_id`, so that no two rows are equal in it. */
function findStatement(collectionId: number, page: FoundPage, { columns }: Form): Statement {
  const parameters = new SqlParameters([collectionId]);
  const { max, skip } = page;
  const text = pageToSql({ ...page, columns, source: ofCollection, limit: max + 1, offset: skip }, parameters);
  return { text, values: parameters.values };
}

/** Without a filter it walks the collection's part of the primary key. */
async function count(
  client: SqlClient,
  collectionId: number,
  page: Pick<FoundPage, 'filter' | 'indexes'>,
  moment: Moment | null,
): Promise<number> {
  const parameters = new SqlParameters([collectionId]);
  const text = `SELECT count(*) AS total FROM documents d WHERE ${whereOf(page, parameters)}`;
  const statement = readAsOf({ text, values: parameters.values }, moment);
  const { rows } = await client.query<{ total: number }>(statement);
  return rows[0]?.total ?? 0;
}

/** A connection whose page was given up is closed, for there is no other way to make Postgres stop sending. */
export async function onClient<T>(pool: SqlPool, work: (client: SqlClient) => Promise<T>): Promise<T> {
  const client = await pool.connect();
  try {
    const result = await work(client);
    client.release();
    return result;
  } catch (error) {
    client.release(true);
    throw error;
  }
}

/** A page. The statement asks for one row more than `max`, which tells whether there are more. */
async function readPage(
  client: SqlClient,
  statement: Statement,
  form: Form,
  max: number,
): Promise<Omit<Page, 'total'>> {
  const texts: string[] = [];
  let last: unknown[] | null = null;
  let hasMore = false;
  await eachRow(client, { ...statement, rowMode: 'array' }, (row: unknown[]) => {
    hasMore = texts.length === max;
    if (hasMore) return 0;
    const text = form.encode(row);
    texts.push(text);
    last = row;
    return text.length;
  });
  return { texts, last: last === null ? null : form.decode(last), hasMore };
}

async function readRows(client: SqlClient, statement: Statement): Promise<Record<string, unknown>[]> {
  const rows: Record<string, unknown>[] = [];
  await eachRow(client, statement, (row: Record<string, unknown>) => {
    rows.push(row);
    return JSON.stringify(row).length;
  });
  return rows;
}

/**
 * Takes the rows one by one, so that an answer that grows too large is given up before it fills the memory: then this rejects while Postgres is still
 * sending. `take` gives the size of what it has kept, in characters.
 */
export function eachRow<R>(
  client: SqlClient,
  config: Statement & { rowMode?: 'array' },
  take: (row: R) => number,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const query = new pg.Query<R & pg.QueryResultRow>(config as pg.QueryArrayConfig);
    let size = 0;
    query.on('row', (row) => {
      if (size > pageLimitChars) return;
      size += take(row as R);
      if (size > pageLimitChars) reject(answerTooLarge());
    });
    query.on('end', () => resolve());
    query.on('error', reject);
    client.query(query);
  });
}

function decodePlain([id, body]: PlainRow): Pick<StoredDocument, 'id' | 'body'> {
  return { id, body };
}

function decodeWhole([id, body, version, createdAt, changedAt, createdBy, changedBy]: WholeRow): StoredDocument {
  return { id, body, version, createdAt, changedAt, createdBy, changedBy };
}
