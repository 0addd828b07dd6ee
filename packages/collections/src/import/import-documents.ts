/** Writes rows as documents, in batches, through the same door as every other write: each document becomes an event. */
import type { Rule } from '@tidewire/access/rule';
import type { Admit, DocumentWrites, WriteScope } from '@tidewire/change-log/document-writes';
import { bodyLimitChars } from '@tidewire/change-log/lane-plan';
import type { JsonObject } from '@tidewire/protocol/json';
import { documentIdPattern, documentIdRule, parentFields } from '@tidewire/protocol/names';
import { Problem, type ProblemField } from '@tidewire/protocol/problem';
import { parentOf } from '../parent-link.js';
import { validateNewDocument } from '../validate-document.js';
import { newByRule } from '../write-by-rule.js';
import type { ImportRow } from './import-row.js';

/** A row that was not imported, and why; `errors` name its wrong fields where that is known. */
export type BadRow = { line: number; reason: string; errors?: ProblemField[] };

/** `documents` were written, `bad` rows were not; `eventId` is the number of the last event, null when nothing was written. */
export type ImportOutcome = { documents: number; bad: number; eventId: number | null };

export type ImportDeps = {
  documents: DocumentWrites;
  scope: WriteScope;
  collection: string;
  /** Documents keep the `_id` of their row; a taken one is refused. Else each gets a new one. */
  keepIds: boolean;
  /** With `keepIds` a child stays the child of its parent, if whoever imports may GET the parent's collection. Nobody looks whether the parent is there. */
  mayGet?: ((collection: string) => boolean) | undefined;
  /** By which documents are made; none unless given. */
  rule?: Rule | null;
  onBadRow: (row: BadRow) => void;
  /** Called after each batch with the documents so far; what it throws ends the import. */
  onBatch: (documents: number) => void;
};

type Prepared = { line: number; id?: string; body: JsonObject; admit?: Admit };

/** Rows in one transaction. Measured as the knee: more only makes other writers of the database wait longer. */
const batchSize = 500;
/** Characters of JSON after which a batch is full, however few rows it has. */
const batchLimitChars = 4 * 1024 * 1024;

/**
 * Reads on only as fast as Postgres writes. Fields of the server are left out. A batch is one transaction; when it is refused its rows are written one by one,
 * so that only those at fault are missing. Rejects when Postgres is away; what was written until then stays, and `onBatch` has told how much.
 */
export async function importDocuments(rows: AsyncIterable<ImportRow>, deps: ImportDeps): Promise<ImportOutcome> {
  const outcome: ImportOutcome = { documents: 0, bad: 0, eventId: null };
  const refuse = (row: BadRow) => {
    outcome.bad += 1;
    deps.onBadRow(row);
  };
  let batch: Prepared[] = [];
  let chars = 0;
  const flush = async () => {
    await writeBatch(batch, deps, outcome, refuse);
    batch = [];
    chars = 0;
    deps.onBatch(outcome.documents);
  };
  for await (const row of rows) {
    const prepared = prepare(row, deps);
    if ('reason' in prepared) refuse(prepared);
    else {
      batch.push(prepared);
      chars += prepared.chars;
      if (batch.length >= batchSize || chars >= batchLimitChars) await flush();
    }
  }
  if (batch.length > 0) await flush();
  return outcome;
}

function prepare(
  row: ImportRow,
  { keepIds, mayGet, scope, rule = null }: ImportDeps,
): (Prepared & { chars: number }) | BadRow {
  if ('reason' in row) return row;
  const { line, value } = row;
  try {
    const { id, body } = takeId(value);
    const made = newByRule(rule, validateNewDocument(body, '', { keepsParent: keepIds }), scope.author);
    const { body: document } = made;
    const refusal = parentRefusal(document, mayGet);
    if (refusal !== null) return { line, reason: refusal };
    const chars = JSON.stringify(document).length;
    if (chars > bodyLimitChars) return { line, reason: `the document is longer than ${bodyLimitChars} characters` };
    if (!keepIds || id === undefined) return { line, ...made, chars };
    if (typeof id === 'string' && documentIdPattern.test(id)) return { line, id, ...made, chars };
    return { line, reason: `_id ${JSON.stringify(id).slice(0, 60)} is not an id (allowed: ${documentIdRule})` };
  } catch (error) {
    return { line, ...reasonOf(error) };
  }
}

/** Why the document may not be the child that it says to be; null when it may, or is none. */
function parentRefusal(document: JsonObject, mayGet: ImportDeps['mayGet']): string | null {
  if (!parentFields.some((name) => Object.hasOwn(document, name))) return null;
  const parent = parentOf(document);
  if (parent === null) return `${parentFields.join(', ')} are not those of a child`;
  return mayGet?.(parent.collection) ? null : `it is a child of ${parent.collection}, which the key may not GET`;
}

function takeId(value: Extract<ImportRow, { value: unknown }>['value']) {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return { id: undefined, body: value };
  const { _id: id, ...body } = value;
  return { id, body };
}

/** All rows in one transaction; when that is refused, each in its own, together, so that they share commits all the same. */
async function writeBatch(
  batch: readonly Prepared[],
  deps: ImportDeps,
  outcome: ImportOutcome,
  refuse: (row: BadRow) => void,
): Promise<void> {
  try {
    await write(batch, deps, outcome);
    return;
  } catch (error) {
    const reason = reasonOf(error);
    const [only] = batch;
    if (batch.length === 1 && only !== undefined) return refuse({ line: only.line, ...reason });
  }
  const accidents: unknown[] = [];
  const tries = batch.map((row) =>
    write([row], deps, outcome).catch((error: unknown) => {
      try {
        refuse({ line: row.line, ...reasonOf(error) });
      } catch (accident) {
        accidents.push(accident);
      }
    }),
  );
  await Promise.all(tries);
  if (accidents.length > 0) throw accidents[0];
}

async function write(rows: readonly Prepared[], { documents, scope, collection }: ImportDeps, outcome: ImportOutcome) {
  const data = rows.map(({ line: _line, ...row }) => row);
  const written = await documents.createMany({ scope, collection, data });
  if (written.status !== 'written') return;
  outcome.documents += rows.length;
  if (written.eventId !== null) outcome.eventId = Math.max(outcome.eventId ?? 0, written.eventId);
}

/** Refusals that are not the row's fault, and would be the same for each. */
const notTheRows: readonly string[] = ['unavailable', 'outcome_unknown', 'internal', 'not_found'];

/** The reason of a refusal; anything that is not the row's fault is thrown on. */
function reasonOf(error: unknown): Omit<BadRow, 'line'> {
  if (!(error instanceof Problem) || notTheRows.includes(error.code)) throw error;
  const { detail, errors } = error;
  return { reason: detail.replace(/^: /, ''), ...(errors.length === 0 ? {} : { errors }) };
}
