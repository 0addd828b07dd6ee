/** The writing half of the collections API. Whether the caller may do it has been decided before; refusals are Problems. */
import { type Rule, reachOf } from '@tidewire/access/rule';
import type {
  CarriedOut,
  DocumentWrites,
  Idempotency,
  Requirement,
  Selection,
  StoredDocument,
  WriteAnswer,
  WriteOutcome,
  WriteScope,
} from '@tidewire/change-log/document-writes';
import type { CatalogDatabase } from '@tidewire/db/catalog';
import type { JsonObject, JsonValue } from '@tidewire/protocol/json';
import { documentIdPattern, documentIdRule } from '@tidewire/protocol/names';
import { invalid } from '@tidewire/protocol/problem';
import { everything, type Filter } from '@tidewire/query/ast';
import { noIndexes } from '@tidewire/query/declared-index';
import { SqlParameters } from '@tidewire/query/sql-parameters';
import { toSql } from '@tidewire/query/to-sql';
import { parseChange } from './document-change.js';
import { encodeWithMetafields } from './encode-document.js';
import { entityTag } from './entity-tag.js';
import { declaredIndexesOf } from './indexes/declared-indexes.js';
import { documentsLimit } from './page-limit.js';
import { isChildOf, type ParentLink, withParent } from './parent-link.js';
import type { Precondition } from './precondition.js';
import type { RuleOf } from './reading.js';
import { checkId, noCollection, noDocument } from './refusals.js';
import { bothOf, isThereBy, refuseHidden } from './rule-mask.js';
import { validateNewDocument } from './validate-document.js';
import { type AskedChange, changeByRule, newByRule, shownToWriter } from './write-by-rule.js';

/**
 * Where and by whom. `parent`: the documents are its children, or become them; it must be there when the write is carried out. `database`: with it, writes by a query
 * use the collection's indexes. `rule`: that of the method on the collection; `mayGet` and `ruleOf`: what the writer may GET, and by which rule, for what answers show.
 */
export type WriteTarget = {
  collection: string;
  scope: WriteScope;
  parent?: ParentLink | undefined;
  database?: CatalogDatabase | undefined;
  rule?: Rule | null | undefined;
  mayGet?: ((collection: string) => boolean) | undefined;
  ruleOf?: RuleOf | undefined;
};

/** What a request may ask beside the write itself. */
export type WriteOptions = {
  /** Looked at under the lane's lock; `precondition_failed` when the document has changed. */
  ifMatch?: Precondition | undefined;
  /** Makes the write happen once; `idempotency_mismatch` when the key belongs to another request. */
  idempotency?: Pick<Idempotency, 'key' | 'fingerprint'> | undefined;
  /** For `create`: whether the collection's schema is asked. True unless given. */
  isValidated?: boolean | undefined;
};

export interface Writing {
  /** An object makes one document and answers it; an array makes all or none, and answers them in order. With metafields, 201. */
  create(target: WriteTarget, body: JsonValue, options?: WriteOptions): Promise<WriteAnswer>;
  /** Answers the document with metafields. `not_found`, `bad_request` for a malformed id, and what `parseChange` throws. */
  update(target: WriteTarget, id: string, change: AskedChange, options?: WriteOptions): Promise<WriteAnswer>;
  /** Changes every document that the filter (null: every one) is true for, or none; at most 10,000. Answers `{"result":[ids],"count":n}`. */
  updateMatching(
    target: WriteTarget,
    filter: Filter | null,
    change: AskedChange,
    options?: WriteOptions,
  ): Promise<WriteAnswer>;
  /** Answers `{"result":["<id>"]}`. */
  delete(target: WriteTarget, id: string, options?: WriteOptions): Promise<WriteAnswer>;
  /** The body is an array of ids; those that do not exist are passed over. Answers `{"result":[ids deleted]}`. All or nothing. */
  deleteMany(target: WriteTarget, body: JsonValue, options?: WriteOptions): Promise<WriteAnswer>;
  /** As `updateMatching`. */
  deleteMatching(target: WriteTarget, filter: Filter | null, options?: WriteOptions): Promise<WriteAnswer>;
}

export function createWriting(documents: DocumentWrites): Writing {
  async function createOne(target: WriteTarget, body: JsonValue, options: WriteOptions): Promise<WriteAnswer> {
    const { scope, collection, rule = null } = target;
    const fields = withParent(validateNewDocument(body), target.parent);
    const { body: data, admit } = newByRule(rule, fields, scope.author);
    const requires = requirementOf(target);
    const answer = (outcome: CarriedOut) => answerOne(201, outcome, target, data);
    const idempotency = idempotencyOf(options, answer);
    const { isValidated } = options;
    const outcome = await documents.create({ scope, collection, data, idempotency, requires, isValidated, admit });
    return answerOf(expectCollection(outcome, target), answer);
  }

  async function createMany(target: WriteTarget, body: JsonValue[], options: WriteOptions): Promise<WriteAnswer> {
    const { scope, collection, rule = null } = target;
    checkCount(body.length, 'documents');
    const data = body.map((item, index) => {
      const at = `/${index}`;
      const fields = withParent(validateNewDocument(item, at), target.parent);
      return { ...newByRule(rule, fields, { ...scope.author, at }), at };
    });
    const answer = ({ documents: created, eventId }: CarriedOut) => {
      const texts = created.map((document, index) => textOf(document, target, data[index]?.body));
      return answerSeveral(201, `[${texts.join()}]`, eventId);
    };
    const outcome = await documents.createMany({
      scope,
      collection,
      data,
      idempotency: idempotencyOf(options, answer),
      requires: requirementOf(target),
      isValidated: options.isValidated,
    });
    return answerOf(expectCollection(outcome, target), answer);
  }

  return {
    create: (target, body, options = {}) =>
      Array.isArray(body) ? createMany(target, body, options) : createOne(target, body, options),

    async update(target, id, asked, options = {}) {
      const { scope, collection, parent, rule = null } = target;
      const requires = requirementOf(target);
      checkId(id);
      const { ifMatch } = options;
      const change = parseChange(asked.form, asked.body, id);
      const ruled = changeByRule(rule, collection, asked, change);
      const data = (before: JsonObject, stored: StoredDocument) => {
        if (parent !== undefined && !isChildOf(before, parent)) throw noDocument(collection, id);
        if (!isThereBy(rule, stored)) throw noDocument(collection, id);
        ifMatch?.(stored);
        return ruled.data(before, stored);
      };
      const answer = (outcome: CarriedOut) => answerOne(200, outcome, target);
      const idempotency = idempotencyOf(options, answer);
      const isReplaced = asked.form === 'replace';
      const outcome = await documents.update({
        scope,
        collection,
        where: { id },
        data,
        idempotency,
        requires,
        isReplaced,
        admit: ruled.admit,
      });
      if (outcome.status === 'missing') throw noDocument(collection, id);
      return answerOf(outcome, answer);
    },

    async updateMatching(target, filter, asked, options = {}) {
      const { scope, collection, rule = null } = target;
      refuseHiddenToWriter(target, filter);
      const change = parseChange(asked.form, asked.body, null);
      const { data, admit } = changeByRule(rule, collection, asked, change);
      const idempotency = idempotencyOf(options, answerCounted);
      const where = selectionOf(filter, target);
      const outcome = await documents.updateMany({ scope, collection, where, data, idempotency, admit });
      return answerOf(outcome, answerCounted);
    },

    async delete(target, id, options = {}) {
      const { scope, collection, parent, rule = null } = target;
      const requires = requirementOf(target);
      checkId(id);
      const check = (stored: StoredDocument) => {
        if (parent !== undefined && !isChildOf(JSON.parse(stored.body) as JsonObject, parent))
          throw noDocument(collection, id);
        if (!isThereBy(rule, stored)) throw noDocument(collection, id);
        options.ifMatch?.(stored);
      };
      const idempotency = idempotencyOf(options, answerDeleted);
      const outcome = await documents.delete({ scope, collection, where: { id }, check, idempotency, requires });
      if (outcome.status === 'missing') throw noDocument(collection, id);
      return answerOf(outcome, answerDeleted);
    },

    async deleteMany({ scope, collection, rule = null }, body, options = {}) {
      const isFor = rule === null ? undefined : (stored: StoredDocument) => isThereBy(rule, stored);
      const where = { ids: parseIds(body), isFor };
      const idempotency = idempotencyOf(options, answerDeleted);
      return answerOf(await documents.deleteMany({ scope, collection, where, idempotency }), answerDeleted);
    },

    async deleteMatching(target, filter, options = {}) {
      const { scope, collection } = target;
      refuseHiddenToWriter(target, filter);
      const idempotency = idempotencyOf(options, answerCounted);
      const where = selectionOf(filter, target);
      return answerOf(await documents.deleteMany({ scope, collection, where, idempotency }), answerCounted);
    },
  };
}

/** The answer tells which documents the filter is true for. Throws `forbidden`. */
function refuseHiddenToWriter(target: WriteTarget, filter: Filter | null): void {
  refuseHidden(target.rule ?? null, { filter });
  refuseHidden(readingRuleOf(target) ?? null, { filter });
}

/** Undefined when the writer may not GET the collection. */
function readingRuleOf({ collection, mayGet, ruleOf }: WriteTarget): Rule | null | undefined {
  return mayGet?.(collection) === true ? (ruleOf?.(collection) ?? null) : undefined;
}

/** The parent must be there, under the lock of the write. Throws `bad_request` when its id cannot be one. */
function requirementOf({ parent, ruleOf }: WriteTarget): Requirement | undefined {
  if (parent === undefined) return undefined;
  const { collection, id } = parent;
  checkId(id);
  const rule = ruleOf?.(collection) ?? null;
  const isFor = rule === null ? undefined : (stored: StoredDocument) => isThereBy(rule, stored);
  return { collection, id, refuse: () => noDocument(collection, id), isFor };
}

type Answer = (outcome: CarriedOut) => WriteAnswer;

const nothingWritten: CarriedOut = { status: 'written', eventId: null, documents: [] };

/** What the lane has stored with an idempotency key, else made now. */
function answerOf(outcome: WriteOutcome, answer: Answer): WriteAnswer {
  if (outcome.status === 'missing') return answer(nothingWritten);
  return outcome.answer ?? answer(outcome);
}

function idempotencyOf({ idempotency }: WriteOptions, answer: Answer): Idempotency | undefined {
  return idempotency === undefined ? undefined : { ...idempotency, answer };
}

function answerOne(
  status: number,
  { documents, eventId }: CarriedOut,
  target: WriteTarget,
  fields?: JsonObject,
): WriteAnswer {
  const [document] = documents;
  if (document === undefined) throw new Error('a write of one document wrote none');
  const text = textOf(document, target, fields);
  return { status, text, eventId, etag: entityTag(document), documentId: document.id };
}

/** The document as its writer is shown it. `fields`: what was sent of it. */
function textOf(document: StoredDocument, target: WriteTarget, fields: JsonObject | undefined): string {
  const { rule = null } = target;
  const reading = readingRuleOf(target);
  if (rule === null && (reading === undefined || reading === null))
    return encodeWithMetafields(document, document.fields ?? fields);
  return encodeWithMetafields(shownToWriter(rule, reading, document));
}

function answerSeveral(status: number, text: string, eventId: number | null): WriteAnswer {
  return { status, text, eventId, etag: null, documentId: null };
}

function answerDeleted({ documents, eventId }: CarriedOut): WriteAnswer {
  return answerSeveral(200, JSON.stringify({ result: documents.map(({ id }) => id) }), eventId);
}

function answerCounted({ documents, eventId }: CarriedOut): WriteAnswer {
  const result = documents.map(({ id }) => id);
  return answerSeveral(200, JSON.stringify({ result, count: result.length }), eventId);
}

function selectionOf(filter: Filter | null, { database, rule = null }: WriteTarget): Selection {
  return {
    limit: documentsLimit,
    condition(collectionId) {
      const parameters = new SqlParameters([collectionId]);
      const indexes = database === undefined ? noIndexes : declaredIndexesOf(database, collectionId);
      const text = toSql(bothOf(reachOf(rule), filter) ?? everything, parameters, { alias: 'd', indexes });
      return { text, values: parameters.values };
    },
  };
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

/** A create that finds nothing found no collection. */
function expectCollection(outcome: WriteOutcome, { collection }: WriteTarget): CarriedOut {
  if (outcome.status === 'missing') throw noCollection(collection);
  return outcome;
}
