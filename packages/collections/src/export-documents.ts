/**
 * A whole collection as text, from one snapshot and in bounded memory: a cursor in a REPEATABLE READ transaction, read on only as fast as the text is
 * taken. Ordered by `_id`, so that the same documents are always the same bytes.
 */
import { type Rule, reachOf } from '@tidewire/access/rule';
import type { StoredDocument } from '@tidewire/change-log/document-writes';
import type { SqlClient, SqlPool } from '@tidewire/db/sql-pool';
import type { JsonObject } from '@tidewire/protocol/json';
import { metafields } from '@tidewire/protocol/names';
import { Problem } from '@tidewire/protocol/problem';
import { SqlParameters } from '@tidewire/query/sql-parameters';
import { toSql } from '@tidewire/query/to-sql';
import { encodeDocument, encodeWithMetafields } from './encode-document.js';
import { createMask, type Mask } from './rule-mask.js';
import { cellsOf, encodeCsvLine } from './tabulate.js';

/** `ndjson`: a document a line. `json`: one array, a document a line. `csv`: RFC 4180, a line of names first. */
export type ExportFormat = 'ndjson' | 'json' | 'csv';
export const exportFormats: readonly ExportFormat[] = ['ndjson', 'json', 'csv'];

export type DocumentExport = {
  /** How many documents there are in the snapshot. */
  total: number;
  /** The text, to be read once. Gives the connection back when it ends, fails or is left; rejects when Postgres goes away. */
  chunks: AsyncGenerator<ExportChunk>;
  /** Gives the connection back without reading; not needed once reading has begun. */
  close(): Promise<void>;
};

/** `documents` counts those up to the end of this text. */
export type ExportChunk = { text: string; documents: number };

/** Most documents that are fetched at a time, and the text that a fetch aims at. */
const fetchLimit = 500;
const fetchAimChars = 256 * 1024;
/** Most columns of a CSV: beyond, it is no table. */
const columnsLimit = 10_000;

const isoTime = (column: string) => `to_char(${column} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`;
const plainColumns = 'd.id, d.body::text';
const allColumns = `${plainColumns}, d.version, ${isoTime('d.created_at')}, ${isoTime('d.changed_at')}, d.created_by, d.changed_by`;

/** Along the primary key (collection_id, id). Postgres plans cursors for the first rows; here all are wanted, in the key's order all the same. */
const declareCursor = (columns: string, where: string) =>
  `DECLARE documents_of_export NO SCROLL CURSOR FOR SELECT ${columns} FROM documents d WHERE ${where} ORDER BY d.id`;

/** The names of the fields in the order in which they first appear; reads every document. */
const selectFields = (
  where: string,
) => `SELECT name FROM documents d, json_object_keys(d.body) WITH ORDINALITY AS field(name, place)
  WHERE ${where} GROUP BY name ORDER BY min((d.id || lpad(place::text, 6, '0')) COLLATE "C") LIMIT ${columnsLimit + 1}`;

type Row = [
  id: string,
  body: string,
  version?: number,
  createdAt?: string,
  changedAt?: string,
  by?: string,
  last?: string,
];

/**
 * Begins the snapshot. `collectionId` null is a collection that is not there: nothing. `rule`: by which the collection is read; all of it, whole, unless given. Throws `bad_request` for a CSV with too
 * many columns.
 */
export async function exportDocuments(
  pool: SqlPool,
  collectionId: number | null,
  { rule = null, ...options }: { format: ExportFormat; metafields: boolean; rule?: Rule | null },
): Promise<DocumentExport> {
  const mask = createMask(rule);
  const client = await pool.connect();
  let isOpen = true;
  const release = async (isWhole: boolean) => {
    if (!isOpen) return;
    isOpen = false;
    // A transaction that may be broken goes with its connection.
    if (isWhole)
      await client.query('COMMIT').then(
        () => client.release(),
        () => client.release(true),
      );
    else client.release(true);
  };
  try {
    await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
    const { where, values } = reached(collectionId, rule);
    const { rows } = await client.query<{ total: number }>(
      `SELECT count(*) AS total FROM documents d WHERE ${where}`,
      values,
    );
    const form = await createForm(client, collectionId, { ...options, rule, mask });
    const isWhole = options.metafields || mask?.needsWhole === true;
    await client.query(declareCursor(isWhole ? allColumns : plainColumns, where), values);
    return {
      total: rows[0]?.total ?? 0,
      chunks: readChunks(client, form, release),
      close: () => release(true),
    };
  } catch (error) {
    await release(false);
    throw error;
  }
}

/** The documents of the collection ($1) that the rule lets through. */
function reached(collectionId: number | null, rule: Rule | null): { where: string; values: unknown[] } {
  const parameters = new SqlParameters([collectionId]);
  const reach = reachOf(rule);
  const where = reach === null ? ofCollection : `${ofCollection} AND ${toSql(reach, parameters, { alias: 'd' })}`;
  return { where, values: parameters.values };
}

const ofCollection = 'd.collection_id = $1';

/** The same for the names of fields: of each document those that the first term shows which lets it through. */
function reachedFields(collectionId: number | null, rule: Rule | null): { where: string; values: unknown[] } {
  const parameters = new SqlParameters([collectionId]);
  const before: string[] = [];
  const shown = rule?.terms.map(({ filter, readFields }) => {
    const passes = filter === null ? 'true' : toSql(filter, parameters, { alias: 'd' });
    const isShown =
      readFields === null ? 'true' : `(name LIKE '\\_%' OR name = ANY(${parameters.add([...readFields])}::text[]))`;
    const text = `(${[...before, passes, isShown].join(' AND ')})`;
    before.push(`NOT coalesce(${passes}, false)`);
    return text;
  });
  const where = shown === undefined ? ofCollection : `${ofCollection} AND (${shown.join(' OR ') || 'false'})`;
  return { where, values: parameters.values };
}

type Form = { head: string; between: string; end: string; encode: (row: Row) => string };

async function* readChunks(
  client: SqlClient,
  { head, between, end, encode }: Form,
  release: (isWhole: boolean) => Promise<void>,
): AsyncGenerator<ExportChunk> {
  let isWhole = false;
  try {
    let documents = 0;
    let text = head;
    for (let count = 50; ; ) {
      const { rows } = await client.query<Row>({ text: `FETCH ${count} FROM documents_of_export`, rowMode: 'array' });
      const texts = rows.map(encode);
      if (texts.length > 0) text += (documents > 0 ? between : '') + texts.join(between);
      documents += rows.length;
      if (rows.length < count) break;
      count = nextCount(count, text.length);
      yield { text, documents };
      text = '';
    }
    isWhole = true;
    yield { text: text + end, documents };
  } finally {
    await release(isWhole);
  }
}

/** As many as fill the aim, when the next ones are like the last ones; at most twice as many, for they may be larger. */
function nextCount(count: number, chars: number): number {
  return Math.max(1, Math.min(fetchLimit, count * 2, Math.floor((count * fetchAimChars) / chars)));
}

async function createForm(
  client: SqlClient,
  collectionId: number | null,
  {
    format,
    metafields: withMetafields,
    rule,
    mask,
  }: { format: ExportFormat; metafields: boolean; rule: Rule | null; mask: Mask | null },
): Promise<Form> {
  const encode = (row: Row) => encodeRow(mask === null ? decodeRow(row) : mask.apply(decodeRow(row)), withMetafields);
  switch (format) {
    case 'ndjson':
      return { head: '', between: '', end: '', encode: (row) => `${encode(row)}\n` };
    case 'json':
      return { head: '[\n', between: ',\n', end: '\n]\n', encode };
    case 'csv': {
      const { where, values } = reachedFields(collectionId, rule);
      const { rows } = await client.query<{ name: string }>(selectFields(where), values);
      if (rows.length > columnsLimit) throw tooManyColumns();
      const others = withMetafields ? metafields.slice(1) : [];
      const columns = ['_id', ...rows.map(({ name }) => name), ...others];
      const encodeLine = (row: Row) => encodeCsvLine(cellsOf(JSON.parse(encode(row)) as JsonObject, columns));
      return { head: encodeCsvLine(columns), between: '', end: '', encode: encodeLine };
    }
  }
}

/** The columns of the metafields are there or not. */
function decodeRow([id, body, version, createdAt = '', changedAt = '', createdBy = '', changedBy = '']: Row) {
  return version === undefined
    ? { id, body }
    : ({ id, body, version, createdAt, changedAt, createdBy, changedBy } satisfies StoredDocument);
}

function encodeRow(document: Pick<StoredDocument, 'id' | 'body'> | StoredDocument, withMetafields: boolean): string {
  return withMetafields && 'version' in document ? encodeWithMetafields(document) : encodeDocument(document);
}

function tooManyColumns(): Problem {
  return new Problem(
    'bad_request',
    `The documents have more than ${columnsLimit} different fields, which is no table. Export them as ndjson.`,
  );
}
