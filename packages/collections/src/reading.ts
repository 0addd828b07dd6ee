/** The reading half of the collections API: what a GET answers. Whether the caller may read has been decided before. */
import { wholeDocument } from '@tidewire/change-log/document-text';
import type { CatalogDatabase } from '@tidewire/db/catalog';
import type { SqlPool } from '@tidewire/db/sql-pool';
import type { JsonObject } from '@tidewire/protocol/json';
import { aggregate } from '@tidewire/query/aggregate';
import type { AggregateOutcome } from '@tidewire/query/aggregation';
import { cursorOf, encodeCursor } from '@tidewire/query/cursor';
import { defaultSort, type Sort } from '@tidewire/query/sort';
import { encodeDocument, encodeWithMetafields } from './encode-document.js';
import { entityTag } from './entity-tag.js';
import { findCollection } from './find-collection.js';
import { documentsLimit } from './page-limit.js';
import { wrongParameters } from './query-parameters.js';
import { createDocumentReader, type LastDocument, type Page } from './read-documents.js';
import { createReadGate, type ReadGateOptions } from './read-gate.js';
import type { Format, ListRequest, Shape } from './read-request.js';
import { checkId, noCollection, noDocument } from './refusals.js';
import { encodeDocuments, encodeObjects, encodeOne } from './shape-documents.js';

/** Where is read. */
export type ReadTarget = { database: CatalogDatabase; collection: string };

/** The totals of a list: `total` is absent when it was not asked for and is not known anyhow. */
export type Pagination = { total?: number; count: number; skip: number; max: number };

/** `next`: the cursor of the page that follows; null when this was the last one. */
export type ListAnswer = { text: string; format: Format; pagination: Pagination; next: string | null };
/** `entityTag` is the document's, with its quotes. */
export type DocumentAnswer = { text: string; format: Format; entityTag: string };

export interface Reading {
  /**
   * A page of documents, or the rows of an aggregation. `not_found` for an unknown collection, unless a write would make it: then it is empty.
   * `query_too_slow`, `bad_request` for what cannot be answered, `unavailable` when too many wait.
   */
  list(target: ReadTarget, request: ListRequest): Promise<ListAnswer>;
  /** `not_found` when there is none, `bad_request` when the id cannot be one. */
  get(target: ReadTarget, id: string, shape: Shape): Promise<DocumentAnswer>;
}

/** `options` bound the reads whose cost the caller decides. */
export function createReading(pool: SqlPool, options: ReadGateOptions = {}): Reading {
  const reader = createDocumentReader(pool, createReadGate(pool, options));

  /** Pages in the order of `_id` that do not begin far off go by prepared statements, everything else through the gate. */
  function readPage(collectionId: number, request: ListRequest): Promise<Page> {
    const { filter, sort, totals, max, skip, after } = request;
    const metafields = request.metafields || request.fields !== null;
    // The cursor of an order by `_id` alone is one _id.
    const [afterId = null] = after ?? [];
    const isPlain = filter === null && sort === null && !totals && skip <= documentsLimit;
    if (isPlain) return reader.list(collectionId, { max, skip, metafields, afterId });
    return reader.find(collectionId, { filter, sort, max, skip, after, metafields, whole: sort !== null, totals });
  }

  return {
    async list({ database, collection }, request) {
      const id = await findCollection(pool, database, collection);
      if (id === null && !database.settings.collections.createOnWrite) throw noCollection(collection);
      if (request.aggregation !== null) {
        const { filter, aggregation } = request;
        const outcome = id === null ? aggregate(aggregation, []) : await reader.aggregate(id, filter, aggregation);
        return encodeAggregate(collection, outcome, request);
      }
      return encodePage(collection, id === null ? emptyPage : await readPage(id, request), request);
    },

    async get({ database, collection }, id, shape) {
      checkId(id);
      const collectionId = await findCollection(pool, database, collection);
      const document = collectionId === null ? null : await reader.get(collectionId, id);
      if (document === null) throw noDocument(collection, id);
      const text = shape.metafields ? encodeWithMetafields(document) : encodeDocument(document);
      return { text: encodeOne(collection, text, shape), format: shape.format, entityTag: entityTag(document) };
    },
  };
}

const emptyPage: Page = { texts: [], last: null, hasMore: false, total: 0 };

function encodePage(collection: string, page: Page, request: ListRequest): ListAnswer {
  const data = encodeDocuments(collection, page.texts, request);
  const pagination = paginate(page, request);
  return { ...frame(data, pagination, request), next: nextCursor(page, request.sort ?? defaultSort) };
}

/** The totals stand around JSON; tables have them in the header alone. */
function frame(data: string, pagination: Pagination, { format, totals }: ListRequest): Omit<ListAnswer, 'next'> {
  const isFramed = totals && format === 'json';
  const text = isFramed ? `{"data":${data},"totals":${JSON.stringify(pagination)}}` : data;
  return { text, format, pagination };
}

/** Whoever sees the end knows the total without counting. */
function paginate({ texts, hasMore, total }: Page, { skip, max, after }: ListRequest): Pagination {
  const count = texts.length;
  const isEndSeen = !hasMore && after === null && (count > 0 || skip === 0) && max > 0;
  const known = total ?? (isEndSeen ? skip + count : undefined);
  return { ...(known === undefined ? {} : { total: known }), count, skip, max };
}

function nextCursor({ last, hasMore }: Page, sort: Sort): string | null {
  if (last === null || !hasMore) return null;
  return encodeCursor(sort, cursorOf(sort, documentOf(last)));
}

/** With its metafields as far as they were read; an order by `_id` looks at nothing else. */
function documentOf(last: LastDocument): JsonObject {
  return 'version' in last ? (JSON.parse(wholeDocument(last)) as JsonObject) : { _id: last.id };
}

/** `max` and `skip` choose among the rows; a grand total is one object. */
function encodeAggregate(collection: string, outcome: AggregateOutcome, request: ListRequest): ListAnswer {
  if (!outcome.ok) {
    throw wrongParameters(
      outcome.errors.map(({ field, message }) => ({ field: field === '' ? 'groupby' : field.slice(1), message })),
    );
  }
  const { result } = outcome;
  const all = (Array.isArray(result) ? result : [result]) as JsonObject[];
  const rows = all.slice(request.skip, request.skip + request.max);
  const pagination = { total: all.length, count: rows.length, skip: request.skip, max: request.max };
  const [total = {}] = rows;
  const isTotal = !Array.isArray(result) && request.format === 'json';
  const data = isTotal ? JSON.stringify(total) : encodeObjects(collection, rows, request);
  return { ...frame(data, pagination, request), next: null };
}
