/**
 * What the routes of the collections API do. Whether the caller may do it has been decided before. Answers are JSON text; refusals are
 * Problems.
 */
import type { DocumentWrites, StoredDocument, WriteOutcome, WriteScope } from '@tidewire/change-log/document-writes';
import type { CatalogDatabase } from '@tidewire/db/catalog';
import type { SqlPool } from '@tidewire/db/sql-pool';
import type { JsonObject, JsonValue } from '@tidewire/protocol/json';
import { documentIdPattern, documentIdRule } from '@tidewire/protocol/names';
import { invalid, Problem } from '@tidewire/protocol/problem';
import { encodeWithMetafields } from './encode-document.js';
import { createDocumentReader } from './read-documents.js';
import { validateChanges, validateNewDocument } from './validate-document.js';

/** Most documents of a page or of one bulk write. */
export const documentsLimit = 10_000;
/** How many documents a page has when `max` is not given, as restdb.io's. */
export const defaultMax = 1_000;

/** Where and by whom. */
export type Target = { database: CatalogDatabase; collection: string; scope: WriteScope };

/** `text` is the answer's body, `eventId` the number of the write's last event, null when nothing was written. */
export type Written = { text: string; eventId: number | null };

export type ListOptions = { max: number; skip: number; metafields: boolean; totals: boolean };
/** `totals` is the JSON text for `X-Pagination`; null when it was not asked for. */
export type Listed = { text: string; totals: string | null };

export interface Collections {
  /** An object makes one document and answers it; an array makes all or none, and answers them in order. With metafields. */
  create(target: Target, body: JsonValue): Promise<Written>;
  /** Documents in the order of `_id`; `not_found` for an unknown collection, unless a write would make it: then it is empty. */
  list(target: Target, options: ListOptions): Promise<Listed>;
  /** `not_found` when there is none, `bad_request` when the id cannot be one. */
  get(target: Target, id: string, options: { metafields: boolean }): Promise<string>;
  /** PUT and PATCH: the fields of the body replace those of the same name, the others stay. Answers the document with metafields. */
  update(target: Target, id: string, body: JsonValue): Promise<Written>;
  /** Answers `{"result":["<id>"]}`. */
  delete(target: Target, id: string): Promise<Written>;
  /** The body is an array of ids; those that do not exist are passed over. Answers `{"result":[ids deleted]}`. All or nothing. */
  deleteMany(target: Target, body: JsonValue): Promise<Written>;
}

export type CollectionsDeps = { pool: SqlPool; documents: DocumentWrites };

export function createCollections({ pool, documents }: CollectionsDeps): Collections {
  const reader = createDocumentReader(pool);

  async function createOne({ scope, collection }: Target, body: JsonValue): Promise<Written> {
    const data = validateNewDocument(body);
    const { documents: created, eventId } = expectCollection(
      await documents.create({ scope, collection, data }),
      collection,
    );
    return { text: created.map((document) => encodeWithMetafields(document, data)).join(), eventId };
  }

  async function createMany({ scope, collection }: Target, body: JsonValue[]): Promise<Written> {
    checkCount(body.length, 'documents');
    const data = body.map((item, index) => ({ body: validateNewDocument(item, `/${index}`) }));
    const { documents: created, eventId } = expectCollection(
      await documents.createMany({ scope, collection, data }),
      collection,
    );
    const texts = created.map((document, index) => encodeWithMetafields(document, data[index]?.body));
    return { text: `[${texts.join()}]`, eventId };
  }

  return {
    create: (target, body) => (Array.isArray(body) ? createMany(target, body) : createOne(target, body)),

    async list({ database, collection }, { max, skip, metafields, totals }) {
      const id = await reader.findCollection(database, collection);
      if (id === null && !database.settings.collections.createOnWrite) throw noCollection(collection);
      const texts = id === null ? [] : await reader.list(id, { max, skip, metafields });
      const data = `[${texts.join()}]`;
      if (!totals) return { text: data, totals: null };
      const total = id === null ? 0 : await reader.count(id);
      const counts = JSON.stringify({ total, count: texts.length, skip, max });
      return { text: `{"data":${data},"totals":${counts}}`, totals: counts };
    },

    async get({ database, collection }, id, options) {
      checkId(id);
      const collectionId = await reader.findCollection(database, collection);
      const text = collectionId === null ? null : await reader.get(collectionId, id, options);
      if (text === null) throw noDocument(collection, id);
      return text;
    },

    async update({ scope, collection }, id, body) {
      checkId(id);
      const changes = validateChanges(body, id);
      const data = (before: JsonObject) => ({ ...before, ...changes });
      const outcome = await documents.update({ scope, collection, where: { id }, data });
      if (outcome.status === 'missing') throw noDocument(collection, id);
      return {
        text: outcome.documents.map((document) => encodeWithMetafields(document)).join(),
        eventId: outcome.eventId,
      };
    },

    async delete({ scope, collection }, id) {
      checkId(id);
      const outcome = await documents.delete({ scope, collection, where: { id } });
      if (outcome.status === 'missing') throw noDocument(collection, id);
      return encodeDeleted(outcome.documents, outcome.eventId);
    },

    async deleteMany({ scope, collection }, body) {
      const ids = parseIds(body);
      const outcome = await documents.deleteMany({ scope, collection, where: { ids } });
      return outcome.status === 'missing' ? encodeDeleted([], null) : encodeDeleted(outcome.documents, outcome.eventId);
    },
  };
}

function encodeDeleted(documents: readonly StoredDocument[], eventId: number | null): Written {
  return { text: JSON.stringify({ result: documents.map(({ id }) => id) }), eventId };
}

function parseIds(body: JsonValue): string[] {
  if (!Array.isArray(body)) throw invalid('', 'the body must be an array of ids', `["577cf185e2039b0900000016", …]`);
  checkCount(body.length, 'ids');
  const ids = body.map((id, index) => {
    if (typeof id === 'string' && documentIdPattern.test(id)) return id;
    throw invalid(`/${index}`, 'this is not the _id of a document', documentIdRule);
  });
  return [...new Set(ids)];
}

function checkCount(count: number, what: string): void {
  if (count === 0 || count > documentsLimit)
    throw invalid('', `the array has ${count} ${what}`, `1 to ${documentsLimit}`);
}

/** A malformed id is the caller's mistake (400), a well-formed one that nobody has is a fact (404). */
function checkId(id: string): void {
  if (documentIdPattern.test(id)) return;
  throw new Problem('bad_request', `This is not the _id of a document (allowed: ${documentIdRule}).`, {
    errors: [{ field: 'id', message: 'this is not the _id of a document', allowed: documentIdRule }],
  });
}

/** A create that finds nothing found no collection. */
function expectCollection(outcome: WriteOutcome, collection: string): Extract<WriteOutcome, { status: 'written' }> {
  if (outcome.status === 'missing') throw noCollection(collection);
  return outcome;
}

function noCollection(collection: string): Problem {
  return new Problem(
    'not_found',
    `There is no collection ${collection}, and the database's settings (collections.createOnWrite) let no write create it.`,
  );
}

function noDocument(collection: string, id: string): Problem {
  return new Problem('not_found', `The collection ${collection} has no document with the _id ${id}.`);
}
