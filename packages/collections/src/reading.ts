/** The reading half of the collections API: what a GET answers. Whether the caller may read has been decided before. */
import { askableFields, type Rule, reachOf, withFields } from '@tidewire/access/rule';
import { wholeDocument } from '@tidewire/change-log/document-text';
import type { CatalogDatabase } from '@tidewire/db/catalog';
import type { SqlClient, SqlPool } from '@tidewire/db/sql-pool';
import type { JsonObject } from '@tidewire/protocol/json';
import { aggregate } from '@tidewire/query/aggregate';
import type { AggregateOutcome } from '@tidewire/query/aggregation';
import type { Filter } from '@tidewire/query/ast';
import { cursorOf, encodeCursor } from '@tidewire/query/cursor';
import type { ShownRow } from '@tidewire/query/live-source';
import { defaultSort, type Sort } from '@tidewire/query/sort';
import { isObject } from './document-path.js';
import { gateAsOf } from './documents-as-of.js';
import { encodeDocument, encodeWithMetafields } from './encode-document.js';
import { combinedTag, entityTag } from './entity-tag.js';
import { findCollection, findCollectionNow } from './find-collection.js';
import { declaredIndexesOf } from './indexes/declared-indexes.js';
import { documentsLimit } from './page-limit.js';
import { childrenFilter, isChildOf, type ParentLink } from './parent-link.js';
import { wrongParameters } from './query-parameters.js';
import {
  createPastReader,
  createReaderOf,
  type DocumentReader,
  type LastDocument,
  onClient,
  type Page,
  type ReadPaths,
} from './read-documents.js';
import { createReadGate, type ReadGateOptions } from './read-gate.js';
import type { Format, ListRequest, Shape } from './read-request.js';
import { checkId, noCollection, noDocument } from './refusals.js';
import { createRelatedDocuments, type RelatedDocuments } from './related-documents.js';
import { bothOf, createMask, refuseHidden, shownBy } from './rule-mask.js';
import {
  encodeDocuments,
  encodeObjects,
  encodeOne,
  encodeParsedDocuments,
  encodeParsedOne,
} from './shape-documents.js';

/**
 * Where is read. `parent`: only its children are meant, and it must be there. `mayGet`: whether the reader may GET another collection; without it nothing of others is
 * shown. `ruleOf`: the rule by which the reader GETs a collection, this one or another (null: none); without it there is none. `origin`: the address of this server as the reader
 * knows it, for links; without it there are none.
 */
export type ReadTarget = {
  database: CatalogDatabase;
  collection: string;
  parent?: ParentLink | undefined;
  mayGet?: ((collection: string) => boolean) | undefined;
  ruleOf?: RuleOf | undefined;
  origin?: string | undefined;
};

/** The rule by which a caller GETs a collection; null: all of its documents, whole. */
export type RuleOf = (collection: string) => Rule | null;

/** The totals of a list: `total` is absent when it was not asked for and is not known anyhow. */
export type Pagination = { total?: number; count: number; skip: number; max: number };

/** `next`: the cursor of the page that follows; null when this was the last one. */
export type ListAnswer = { text: string; format: Format; pagination: Pagination; next: string | null };
/** `entityTag` with its quotes: the document's, combined with those of the other documents that the answer shows. */
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

/** The same of a list, with its documents one by one; `rows` is null for an aggregation. */
export interface RowReading extends Reading {
  list(target: ReadTarget, request: ListRequest): Promise<ListAnswer & { rows: ShownRow[] | null }>;
}

/** `options` bound the reads whose cost the caller decides. */
export function createReading(pool: SqlPool, options: ReadGateOptions = {}): Reading {
  const paths = {
    direct: <T>(work: (client: SqlClient) => Promise<T>) => onClient(pool, work),
    gate: createReadGate(pool, options),
  };
  return readingOver(paths, (database, name) => findCollection(pool, database, name), withoutRows);
}

/** Everything in the transaction that the client has open, so that all answers are of one moment. Nothing of now only: `asOf` is refused before. */
export function createReadingWithin(client: SqlClient): RowReading {
  const within = <T>(work: (client: SqlClient) => Promise<T>) => work(client);
  return readingOver(
    { direct: within, gate: within },
    (database, name) => findCollectionNow(client, database, name),
    withRows,
  );
}

/** What is added to the answer of a list: its documents, whole and as they are shown. */
type AddRows<A> = (answer: ListAnswer, shown: { ids: () => string[]; texts: () => readonly string[] } | null) => A;

const withoutRows: AddRows<ListAnswer> = (answer) => answer;
const withRows: AddRows<ListAnswer & { rows: ShownRow[] | null }> = (answer, shown) => {
  if (shown === null) return { ...answer, rows: null };
  const ids = shown.ids();
  return { ...answer, rows: shown.texts().map((text, index) => ({ id: ids[index] ?? '', text })) };
};

function readingOver<A extends ListAnswer>(
  paths: ReadPaths,
  findCollection: (database: CatalogDatabase, name: string) => Promise<number | null>,
  addRows: AddRows<A>,
): Reading & { list(target: ReadTarget, request: ListRequest): Promise<A> } {
  const { gate } = paths;
  const present: Readers = { reader: createReaderOf(paths), related: createRelatedDocuments(paths) };

  function readersAt({ id: databaseId }: CatalogDatabase, asOf: number | null): Readers {
    if (asOf === null) return present;
    const moment = { databaseId, eventId: asOf };
    const pastGate = gateAsOf(gate, moment);
    return {
      reader: createPastReader(pastGate, moment),
      related: createRelatedDocuments({ ...paths, gate: pastGate }, moment),
    };
  }

  /** Pages in the order of `_id` that do not begin far off go by prepared statements, everything else through the gate. */
  function readPage(
    reader: DocumentReader,
    database: CatalogDatabase,
    collectionId: number,
    request: ListRequest,
    rule: Rule | null,
  ): Promise<Page> {
    const { filter, sort, totals, max, skip, after } = request;
    const metafields = request.metafields || request.fields !== null;
    // The cursor of an order by `_id` alone is one _id.
    const [afterId = null] = after ?? [];
    const isPlain = rule === null && filter === null && sort === null && !totals && skip <= documentsLimit;
    if (isPlain) return reader.list(collectionId, { max, skip, metafields, afterId });
    const indexes = declaredIndexesOf(database, collectionId);
    const whole = sort !== null;
    const page = { sort, max, skip, after, metafields, whole, totals, indexes, mask: createMask(rule) };
    return reader.find(collectionId, { ...page, filter: bothOf(reachOf(rule), filter) });
  }

  /** `not_found` when the parent is not there. */
  async function requireParent(
    reader: DocumentReader,
    database: CatalogDatabase,
    { collection, id }: ParentLink,
    ruleOf: RuleOf | undefined,
  ): Promise<void> {
    checkId(id);
    const collectionId = await findCollection(database, collection);
    const stored = collectionId === null ? null : await reader.get(collectionId, id);
    const parent = stored && shownBy(ruleOf?.(collection) ?? null, stored);
    if (parent === null) throw noDocument(collection, id);
  }

  async function filterOfChildren(
    { database, ruleOf }: ReadTarget,
    parent: ParentLink,
    { filter, asOf }: ListRequest,
  ): Promise<Filter> {
    await requireParent(readersAt(database, asOf).reader, database, parent, ruleOf);
    const ofParent = childrenFilter(parent);
    return filter === null ? ofParent : { kind: 'and', items: [ofParent, filter] };
  }

  return {
    async list(target, asked) {
      const { database, collection, parent } = target;
      const rule = target.ruleOf?.(collection) ?? null;
      refuseHidden(rule, asked);
      const request =
        parent === undefined ? asked : { ...asked, filter: await filterOfChildren(target, parent, asked) };
      const { reader, related } = readersAt(database, asked.asOf);
      const found = await findCollection(database, collection);
      if (found === null && !database.settings.collections.createOnWrite) throw noCollection(collection);
      // Of the past is read in any case, for the log may not reach there.
      const id = found ?? (asked.asOf === null ? null : noCollectionId);
      if (request.aggregation !== null) {
        const { filter, aggregation } = request;
        const outcome =
          id === null
            ? aggregate(aggregation, [])
            : await reader.aggregate(id, bothOf(reachOf(rule), filter), aggregation, declaredIndexesOf(database, id));
        return addRows(encodeAggregate(collection, maskedOutcome(rule, outcome), request), null);
      }
      const page = id === null ? emptyPage : await readPage(reader, database, id, request, rule);
      const options = { isOne: false };
      const expanded = await related.expand({ ...target, collectionId: id }, page.texts, request, options);
      const answer = encodePage(collection, page, expanded?.documents ?? null, request);
      return addRows(answer, {
        ids: () => page.texts.map(idOfText),
        texts: () =>
          expanded === null
            ? page.texts.map((text) => encodeOne(collection, text, request))
            : expanded.documents.map((document) => encodeParsedOne(collection, document, request)),
      });
    },

    async get(target, id, shape) {
      const { database, collection, parent, ruleOf } = target;
      const rule = ruleOf?.(collection) ?? null;
      refuseHidden(rule, shape);
      const { reader, related } = readersAt(database, shape.asOf);
      if (parent !== undefined) await requireParent(reader, database, parent, ruleOf);
      checkId(id);
      const collectionId = await findCollection(database, collection);
      const stored = collectionId === null ? null : await reader.get(collectionId, id);
      const document = stored && shownBy(rule, stored);
      if (document === null) throw noDocument(collection, id, shape.asOf);
      if (parent !== undefined && !isChildOf(JSON.parse(document.body) as JsonObject, parent))
        throw noDocument(collection, id);
      const text = shape.metafields ? encodeWithMetafields(document) : encodeDocument(document);
      const { format } = shape;
      const own = entityTag(document);
      const expanded = await related.expand({ ...target, collectionId }, [text], shape, { isOne: true });
      const [shown] = expanded?.documents ?? [];
      if (expanded === null || shown === undefined)
        return { text: encodeOne(collection, text, shape), format, entityTag: own };
      const tag = expanded.parts.length === 0 ? own : combinedTag(own, expanded.parts);
      return { text: encodeParsedOne(collection, shown, shape), format, entityTag: tag };
    },
  };
}

/** Every text of a document begins with its `_id`, before fields are chosen. */
function idOfText(text: string): string {
  return text.slice('{"_id":"'.length, '{"_id":"'.length + 24);
}

/** Readers of now, or of a moment. */
type Readers = { reader: DocumentReader; related: RelatedDocuments };

/** No collection has this id. */
const noCollectionId = 0;

const emptyPage: Page = { texts: [], last: null, hasMore: false, total: 0 };

/** `expanded`: the documents with what is shown of others; null when their texts stand as they are. */
function encodePage(
  collection: string,
  page: Page,
  expanded: readonly JsonObject[] | null,
  request: ListRequest,
): ListAnswer {
  const data =
    expanded === null
      ? encodeDocuments(collection, page.texts, request)
      : encodeParsedDocuments(collection, expanded, request);
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

/** Of the documents that `MIN` and `MAX` give, the fields that the rule shows of every document. */
function maskedOutcome(rule: Rule | null, outcome: AggregateOutcome): AggregateOutcome {
  const askable = askableFields(rule);
  if (askable === null || !outcome.ok) return outcome;
  const shown = [...askable];
  const masked = (row: JsonObject): JsonObject =>
    Object.fromEntries(
      Object.entries(row).map(([name, value]) => [
        name,
        /^(?:MIN|MAX) /.test(name) && isObject(value) ? withFields(value, shown) : value,
      ]),
    );
  const { result } = outcome;
  const rows = (Array.isArray(result) ? result : [result]) as JsonObject[];
  const [only = {}] = rows.map(masked);
  return { ok: true, result: Array.isArray(result) ? rows.map(masked) : only } as AggregateOutcome;
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
