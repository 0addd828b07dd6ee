/** Writes rows as documents, in batches, through the same door as every other write: each document becomes an event. */
import type { DocumentWrites, WriteScope } from '@tidewire/change-log/document-writes';
import { validateNewDocument } from '@tidewire/collections/validate-document';
import type { JsonObject } from '@tidewire/protocol/json';
import { documentIdPattern, documentIdRule } from '@tidewire/protocol/names';
import { Problem } from '@tidewire/protocol/problem';
import type { ImportRow } from './import-row.js';

export type BadRow = { line: number; reason: string };
export type ImportOutcome = { documents: number; bad: number };

export type ImportDeps = {
  documents: DocumentWrites;
  scope: WriteScope;
  collection: string;
  onBadRow: (row: BadRow) => void;
  onBatch: (documents: number) => void;
};

type Prepared = { line: number; id?: string; body: JsonObject };

/** Rows in one transaction. Measured as the knee: more only makes other writers of the database wait longer. */
const batchSize = 500;

/**
 * Reads on only as fast as Postgres writes. A document keeps its `_id` when it has one that can be an id; other fields of the server
 * are left out. When a batch is refused its rows are written one by one, so that only those at fault are missing.
 * Rejects when Postgres is away; what was written until then stays.
 */
export async function importDocuments(rows: AsyncIterable<ImportRow>, deps: ImportDeps): Promise<ImportOutcome> {
  const outcome = { documents: 0, bad: 0 };
  const refuse = (row: BadRow) => {
    outcome.bad += 1;
    deps.onBadRow(row);
  };
  let batch: Prepared[] = [];
  const flush = async () => {
    outcome.documents += await writeBatch(batch, deps, refuse);
    batch = [];
    deps.onBatch(outcome.documents);
  };
  for await (const row of rows) {
    const prepared = prepare(row);
    if ('reason' in prepared) refuse(prepared);
    else if (batch.push(prepared) >= batchSize) await flush();
  }
  if (batch.length > 0) await flush();
  return outcome;
}

function prepare(row: ImportRow): Prepared | BadRow {
  if ('reason' in row) return row;
  const { line, value } = row;
  try {
    if (typeof value !== 'object' || value === null || Array.isArray(value))
      return { line, body: validateNewDocument(value) };
    const { _id: id, ...fields } = value;
    const body = validateNewDocument(fields);
    if (id === undefined) return { line, body };
    if (typeof id === 'string' && documentIdPattern.test(id)) return { line, id, body };
    return { line, reason: `_id ${JSON.stringify(id).slice(0, 60)} is not an id (allowed: ${documentIdRule})` };
  } catch (error) {
    return { line, reason: reasonOf(error) };
  }
}

/** How many were written. */
async function writeBatch(batch: Prepared[], deps: ImportDeps, refuse: (row: BadRow) => void): Promise<number> {
  const { documents, scope, collection } = deps;
  const data = batch.map(({ id, body }) => (id === undefined ? { body } : { id, body }));
  try {
    await documents.createMany({ scope, collection, data });
    return batch.length;
  } catch (error) {
    const reason = reasonOf(error);
    const [only] = batch;
    if (batch.length === 1 && only !== undefined) {
      refuse({ line: only.line, reason });
      return 0;
    }
  }
  let written = 0;
  for (const row of batch) written += await writeBatch([row], deps, refuse);
  return written;
}

/** The reason of a refusal; anything that is not the row's fault is thrown on. */
function reasonOf(error: unknown): string {
  if (error instanceof Problem && !['unavailable', 'outcome_unknown', 'internal'].includes(error.code))
    return error.detail.replace(/^: /, '');
  throw error;
}
