/**
 * What live queries are made of: each GET of a collection or a document, as a source (`@tidewire/query/live-source`). A page in the order of fields becomes a window, which events keep up to
 * date; what depends on more than the documents of the page is read anew.
 *
 * The body made from events is that of a read, byte for byte: rows of a read and of an event go through the same function, from the same whole text.
 */
import { type Rule, reachOf, seenBy } from '@tidewire/access/rule';
import { wholeDocument } from '@tidewire/change-log/document-text';
import type { StoredDocument } from '@tidewire/change-log/document-writes';
import type { Catalog, CatalogDatabase } from '@tidewire/db/catalog';
import type { SqlClient, SqlPool } from '@tidewire/db/sql-pool';
import type { JsonObject } from '@tidewire/protocol/json';
import { Problem } from '@tidewire/protocol/problem';
import type { Filter } from '@tidewire/query/ast';
import { canonicalText } from '@tidewire/query/canonical-text';
import { compareCodePoints } from '@tidewire/query/code-points';
import { cursorOf } from '@tidewire/query/cursor';
import type { LiveRow, LiveRows, LiveSource, RereadSource, ShownRow } from '@tidewire/query/live-source';
import { createMatcher } from '@tidewire/query/matcher';
import type { Projection } from '@tidewire/query/projection';
import { defaultSort, type Sort, type SortTerm, sortText } from '@tidewire/query/sort';
import { mayHoldReferences } from './document-reference.js';
import { encodeDocument, encodeWithMetafields } from './encode-document.js';
import { findCollectionNow } from './find-collection.js';
import { declaredIndexesOf } from './indexes/declared-indexes.js';
import { documentsLimit } from './page-limit.js';
import { wrongParameters } from './query-parameters.js';
import { findDocuments } from './read-documents.js';
import { createReadGate, type ReadGateOptions } from './read-gate.js';
import type { ListRequest, Shape } from './read-request.js';
import { createReadingWithin, type ReadTarget, type RowReading } from './reading.js';
import { checkId, noCollection } from './refusals.js';
import { fieldsReferringTo, relationFieldsOf } from './relation-fields.js';
import { bothOf, refuseHidden } from './rule-mask.js';
import { encodeOne } from './shape-documents.js';

/** `visible`: a text that tells apart readers who may GET different other collections, or by different rules; readers with the same one share their live queries. */
export type LiveTarget = ReadTarget & { visible: string };

export interface LiveSources {
  /** Of a list. `name`: of the messages; the collection's by default. Throws `bad_request` for what cannot be live: the past, and formats other than JSON. */
  list(target: LiveTarget, request: ListRequest, name?: string): LiveSource;
  /** Of one document; the body is `null` while there is none. Throws `bad_request` as `list` and when the id cannot be one. */
  document(target: LiveTarget, id: string, shape: Shape): LiveSource;
  /** What the sources of this request depend on beside documents. When it is another text, they are other sources. */
  boundsOf(target: LiveTarget, shape: Shape): string;
}

export type LiveSourcesDeps = { pool: SqlPool; catalog: Pick<Catalog, 'peek'>; limits?: ReadGateOptions };

/** Rows that are kept in memory for a page and what stands before it; beyond, the answer is read anew. */
const WINDOW_LIMIT = 2 * documentsLimit;
/** Least time between two reads of an answer that is read anew after each change. */
const PAUSE_MS = 100;

/** By the primary key of log_heads. */
const selectHead = { name: 'live-head', text: 'SELECT head FROM log_heads WHERE database_id = $1' };

/** Reads through a gate of its own, of a quarter of the pool's connections by default, so that a storm of reconnects leaves most of them to the requests. */
export function createLiveSources({ pool, catalog, limits }: LiveSourcesDeps): LiveSources {
  const concurrency = Math.max(1, Math.floor(pool.options.max / 4));
  const gate = createReadGate(pool, { concurrency, queueLimit: 2_000, ...limits });

  function inSnapshot<T>({ id }: CatalogDatabase, work: (client: SqlClient, at: number) => Promise<T>): Promise<T> {
    return gate(async (client) => {
      const { rows } = await client.query<{ head: number }>({ ...selectHead, values: [id] });
      return work(client, rows[0]?.head ?? 0);
    });
  }

  const now = <T extends ReadTarget>(target: T): T => ({
    ...target,
    database: catalog.peek(target.database.id) ?? target.database,
  });

  async function readWindow(target: LiveTarget, asked: Asked, rowOf: RowOf, wanted: number): Promise<LiveRows> {
    const { database, collection } = now(target);
    return inSnapshot(database, async (client, at) => {
      const collectionId = await findCollectionNow(client, database, collection);
      if (collectionId === null && asked.isList && !database.settings.collections.createOnWrite)
        throw noCollection(collection);
      if (collectionId === null) return { at, rows: [], total: asked.totals ? 0 : null };
      const page = { ...asked, max: wanted, skip: 0, after: null, metafields: true, whole: true };
      const indexes = declaredIndexesOf(database, collectionId);
      const { documents, total } = await findDocuments(client, collectionId, { ...page, indexes });
      const rows = documents.map((document) => rowOf(JSON.parse(wholeDocument(document)) as JsonObject));
      return { at, rows, total };
    });
  }

  function reread(target: LiveTarget, common: Common, read: (reading: RowReading) => Promise<Read>): RereadSource {
    return {
      ...common,
      kind: 'reread',
      isOfConfiguration: true,
      pauseMs: PAUSE_MS,
      everySeconds: null,
      read: () =>
        inSnapshot(target.database, async (client, at) => {
          const { text, rows, totals, isReferring } = await read(createReadingWithin(client));
          return { at, body: text, rows, totals, collections: isReferring ? referredIn(text) : [] };
        }),
    };
  }

  function windowOf(target: LiveTarget, asked: Asked, anew: RereadSource): LiveSource {
    const { filter, skip, max } = asked;
    const sort = asked.sort ?? defaultSort;
    const rowOf = createRowOf(target, asked, sort);
    const { key, name } = anew;
    return {
      kind: 'window',
      key,
      name,
      collection: target.collection,
      filter,
      skip,
      max,
      compare: createPlaceComparator(sort),
      matches: filter === null ? () => true : createMatcher(filter),
      rowOf,
      read: (wanted) => readWindow(target, asked, rowOf, wanted),
      bodyOf: (page, total) => bodyOf(asked, page, total),
      totalsOf: (page, total) => totalsOf(asked, page, total),
      anew,
    };
  }

  return {
    boundsOf,

    list(target, request, name = target.collection) {
      refuseWhatIsNotLive(request);
      const { collection, parent } = target;
      const rule = ruleOfTarget(target);
      refuseHidden(rule, request);
      const common: Common = {
        key: JSON.stringify(['list', name, collection, parent ?? null, ...listKey(request), boundsOf(target, request)]),
        name,
        collection: request.aggregation === null ? collection : null,
        collections: new Set([
          collection,
          ...(parent ? [parent.collection] : []),
          ...otherCollections(target, request),
        ]),
      };
      const anew = reread(target, common, async (reading) => {
        const { text, rows, pagination } = await reading.list(now(target), request);
        const totals = request.totals ? JSON.stringify(pagination) : null;
        return { text, rows, totals, isReferring: request.related.relations };
      });
      const isWindow = parent === undefined && isByFields(request) && isAlone(target, request);
      const filter = bothOf(reachOf(rule), request.filter);
      return isWindow ? windowOf(target, { ...request, filter, isList: true }, anew) : anew;
    },

    document(target, id, shape) {
      refuseWhatIsNotLive(shape);
      checkId(id);
      const { collection } = target;
      const rule = ruleOfTarget(target);
      refuseHidden(rule, shape);
      const common: Common = {
        key: JSON.stringify(['document', collection, id, ...shapeKey(shape), boundsOf(target, shape)]),
        name: collection,
        collection,
        collections: new Set([collection, ...otherCollections(target, shape)]),
      };
      const anew = reread(target, common, async (reading) => {
        const text = await reading.get(now(target), id, shape).then((answer) => answer.text, nullWhenMissing);
        const rows = text === 'null' ? [] : [{ id, text }];
        return { text, rows, totals: null, isReferring: shape.related.relations };
      });
      const isIt: Filter = { kind: 'field', path: ['_id'], test: { kind: 'in', values: [id] } };
      const filter = bothOf(isIt, reachOf(rule));
      const asked = { ...shape, filter, sort: null, skip: 0, max: 1, totals: false, isList: false };
      return isAlone(target, shape) ? windowOf(target, asked, anew) : anew;
    },
  };
}

type Common = Pick<RereadSource, 'key' | 'name' | 'collection' | 'collections'>;
type Read = { text: string; rows: ShownRow[] | null; totals: string | null; isReferring: boolean };
type RowOf = (document: JsonObject) => LiveRow;

/** `isList`: the body is an array or a page; else the one document or null. */
type Asked = Shape & Pick<ListRequest, 'filter' | 'sort' | 'skip' | 'max' | 'totals'> & { isList: boolean };

function refuseWhatIsNotLive({ asOf, format }: Shape): void {
  if (asOf !== null)
    throw wrongParameters([{ field: 'asof', message: 'a stream shows what is, not what was', allowed: 'no asof' }]);
  if (format !== 'json')
    throw wrongParameters([{ field: 'format', message: 'a stream shows JSON alone', allowed: 'json' }]);
}

/** Whether the place of each document follows from its own fields, in a page that is found by position and fits into memory. */
function isByFields({ aggregation, after, sort, skip, max }: ListRequest): boolean {
  const isByScore = sort?.terms.some(({ kind }) => kind === 'score') ?? false;
  return aggregation === null && after === null && !isByScore && skip + max <= WINDOW_LIMIT;
}

/** Whether each document is shown by itself, as far as the schema tells; references anywhere (`isLinked`) are found in the documents. */
function isAlone(target: LiveTarget, { related }: Shape): boolean {
  const { relations, children, files } = fieldsOf(target);
  if (related.referencedBy || (related.children && children.size > 0)) return false;
  if (related.links && (files.size > 0 || related.relations)) return false;
  return !related.relations || relations.size === 0;
}

function fieldsOf({ database, collection }: LiveTarget) {
  return relationFieldsOf(database, database.collections.get(collection) ?? null);
}

/** Those whose documents the schemas bring into the answer. */
function otherCollections(target: LiveTarget, { related }: Shape): string[] {
  const { relations, children } = fieldsOf(target);
  const referring = related.referencedBy ? fieldsReferringTo(target.database, target.collection) : [];
  return [
    ...(related.relations ? relations.values() : []),
    ...(related.children ? children.values() : []),
    ...referring.map(({ collection }) => collection),
  ];
}

function ruleOfTarget({ collection, ruleOf }: LiveTarget): Rule | null {
  return ruleOf?.(collection) ?? null;
}

/** The rules of the collection and of the parent's. */
function rulesText(target: LiveTarget): string[] {
  const { parent, ruleOf } = target;
  const rules = [ruleOfTarget(target), parent === undefined ? null : (ruleOf?.(parent.collection) ?? null)];
  return rules.map((rule) => rule?.signature ?? '');
}

function boundsOf(target: LiveTarget, { related }: Shape): string {
  const { relations, links, children, referencedBy } = related;
  const rules = rulesText(target);
  if (!relations && !links && !children && !referencedBy) return JSON.stringify(rules);
  const fields = fieldsOf(target);
  return JSON.stringify([
    rules,
    links ? (target.origin ?? '') : target.visible,
    relations || links ? [...fields.relations] : [],
    children ? [...fields.children] : [],
    links ? [...fields.files] : [],
    referencedBy ? fieldsReferringTo(target.database, target.collection) : [],
  ]);
}

/** The canonical form of what is asked for. */
function listKey(request: ListRequest): unknown[] {
  const { filter, sort, skip, max, after, totals, aggregation } = request;
  const order = sortText(sort ?? defaultSort);
  return [filter && canonicalText(filter), order, skip, max, after, totals, aggregation, ...shapeKey(request)];
}

function shapeKey({ metafields, fields, flatten, related }: Shape): unknown[] {
  const { relations, links, children, referencedBy } = related;
  return [
    metafields,
    fields && [fields.mode, treeKey(fields.tree)],
    flatten,
    [relations, links, children, referencedBy],
  ];
}

/** The order of fields is that of the document, whatever order they are named in. */
function treeKey(tree: Projection['tree']): unknown[] {
  const names = [...tree.keys()].sort();
  return names.map((name) => {
    const below = tree.get(name);
    return [name, below ? treeKey(below) : null];
  });
}

/** Of documents that the rule lets through. */
function createRowOf(target: LiveTarget, shape: Shape, sort: Sort): RowOf {
  const { collection } = target;
  const rule = ruleOfTarget(target);
  return (document) => {
    const seen = seenBy(rule, document) ?? { _id: document._id ?? null };
    const { _id, _created, _changed, _createdby, _changedby, _version, ...fields } = seen;
    const stored: StoredDocument = {
      id: String(_id),
      body: JSON.stringify(fields),
      version: Number(_version),
      createdAt: String(_created),
      changedAt: String(_changed),
      createdBy: String(_createdby),
      changedBy: String(_changedby),
    };
    const isWhole = shape.metafields || shape.fields !== null;
    const text = isWhole ? encodeWithMetafields(stored, fields) : encodeDocument(stored);
    return {
      id: stored.id,
      place: cursorOf(sort, document),
      text: encodeOne(collection, text, shape),
      isLinked: (shape.related.relations || shape.related.links) && mayHoldReferences(text),
    };
  };
}

/** The order of `sortToSql` on what `cursorOf` says: the fields of the server by their columns' types, all others by their keys. */
function createPlaceComparator({ terms }: Sort): (a: LiveRow, b: LiveRow) => number {
  const comparators = terms.map((term) => {
    const compare = comparatorOf(term);
    return (a: string, b: string) => compare(a, b) * term.direction;
  });
  return (a, b) => {
    for (const [index, compare] of comparators.entries()) {
      const order = compare(a.place[index] ?? '', b.place[index] ?? '');
      if (order !== 0) return order;
    }
    return 0;
  };
}

function comparatorOf(term: SortTerm): (a: string, b: string) => number {
  const isVersion = term.kind === 'field' && term.path.length === 1 && term.path[0] === '_version';
  return isVersion ? (a, b) => Number(a) - Number(b) : compareCodePoints;
}

function bodyOf(asked: Asked, page: readonly ShownRow[], total: number | null): string {
  if (!asked.isList) return page[0]?.text ?? 'null';
  const data = `[${page.map(({ text }) => text).join()}]`;
  const totals = totalsOf(asked, page, total);
  return totals === null ? data : `{"data":${data},"totals":${totals}}`;
}

function totalsOf({ totals, skip, max }: Asked, page: readonly ShownRow[], total: number | null): string | null {
  return totals && total !== null ? JSON.stringify({ total, count: page.length, skip, max }) : null;
}

/** The collections of the references in an answer's text, shown or not; more than that do no harm. */
function referredIn(text: string): string[] {
  if (!mayHoldReferences(text)) return [];
  const names = new Set<string>();
  for (const [, name] of text.matchAll(/"\$ref":"([^"\\]+)"/g)) if (name !== undefined) names.add(name);
  return [...names];
}

function nullWhenMissing(error: unknown): string {
  if (error instanceof Problem && error.code === 'not_found') return 'null';
  throw error;
}
