/** What stands in an answer beside the documents that were asked for: documents that they refer to, their children, what refers to them, or links. */
import { askableFields, type Rule } from '@tidewire/access/rule';
import type { CatalogDatabase } from '@tidewire/db/catalog';
import type { JsonObject, JsonValue } from '@tidewire/protocol/json';
import type { Filter } from '@tidewire/query/ast';
import type { Projection } from '@tidewire/query/projection';
import { mayHoldReferences } from './document-reference.js';
import type { Moment } from './documents-as-of.js';
import { encodeDocument, encodeWithMetafields } from './encode-document.js';
import { entityTag } from './entity-tag.js';
import { declaredIndexesOf } from './indexes/declared-indexes.js';
import { linkFiles, linkTo } from './link-ids.js';
import { type FoundReference, mapReferences, type ReferencePlaces } from './map-references.js';
import { answerTooLarge, documentsLimit, pageLimitChars } from './page-limit.js';
import type { LastDocument, ReadPaths } from './read-documents.js';
import { createRelatedReader, type RelatedForm, type Room } from './read-related.js';
import type { Shape } from './read-request.js';
import { fieldsReferringTo, type RelationFields, relationFieldsOf } from './relation-fields.js';

/** Whose documents they are, and what the reader may see. */
export type RelatedTarget = {
  database: CatalogDatabase;
  collection: string;
  collectionId: number | null;
  /** Whether the reader may GET another collection; nobody may without it. */
  mayGet?: ((collection: string) => boolean) | undefined;
  /** The rule by which the reader GETs a collection (null: none); nothing is bound without it. */
  ruleOf?: ((collection: string) => Rule | null) | undefined;
  /** The address of this server as the reader knows it, without a slash at the end; for links. */
  origin?: string | undefined;
};

/** `parts`: for the entity tag of the answer, what is shown of other documents in which version; filled for one document alone. */
export type Expanded = { documents: JsonObject[]; parts: string[] };

export interface RelatedDocuments {
  /**
   * The documents with what the shape asks for of others; null when there is nothing of the kind, and then nothing has been parsed. `isOne`: of a single document, with what
   * refers to it. At most 10,000 other documents and 32 Mi characters in all, else `bad_request`.
   */
  expand(
    target: RelatedTarget,
    texts: readonly string[],
    shape: Shape,
    options: { isOne: boolean },
  ): Promise<Expanded | null>;
}

/** What is to be done. */
type Plan = {
  places: ReferencePlaces | null;
  links: { origin: string; files: ReadonlySet<string> } | null;
  children: readonly { field: string; collection: string }[];
  referring: readonly { collection: string; collectionId: number; fields: readonly string[] }[] | null;
};

/** `moment`: when it is not now; the gate must be that of the moment then (`gateAsOf`). */
export function createRelatedDocuments(paths: ReadPaths, moment: Moment | null = null): RelatedDocuments {
  const reader = createRelatedReader(paths, moment);

  async function embedReferences(
    { database, mayGet, ruleOf }: RelatedTarget,
    documents: readonly JsonObject[],
    places: ReferencePlaces,
    answer: Answer,
  ): Promise<JsonObject[]> {
    const wanted = new Map<string, { collectionId: number; id: string; rule: Rule | null }>();
    const verdicts = new Map<string, number | null>();
    const collectionIdOf = (name: string) => {
      const known = verdicts.get(name);
      if (known !== undefined) return known;
      const id = mayGet?.(name) ? (database.collections.get(name) ?? null) : null;
      verdicts.set(name, id);
      return id;
    };
    for (const document of documents)
      mapReferences(document, places, ({ collection, id }) => {
        const collectionId = collectionIdOf(collection);
        if (collectionId === null) return null;
        wanted.set(`${collectionId}/${id}`, { collectionId, id, rule: ruleOf?.(collection) ?? null });
        return null;
      });
    const found = new Map<string, Shown>();
    for (const { collectionId, document } of await reader.byIds([...wanted.values()], answer.room, answer.form))
      found.set(`${collectionId}/${document.id}`, answer.show(document));
    return documents.map((document) =>
      mapReferences(document, places, (reference) => {
        const shown = found.get(`${collectionIdOf(reference.collection)}/${reference.id}`);
        answer.note(`${reference.collection}/${reference.id}`, shown);
        return embedded(reference, shown, answer.room);
      }),
    );
  }

  async function addChildren(
    { database, collection, ruleOf }: RelatedTarget,
    documents: JsonObject[],
    child: { field: string; collection: string },
    answer: Answer,
  ): Promise<JsonObject[]> {
    const { field } = child;
    const lists = new Map(documents.map(({ _id }) => [String(_id), [] as JsonValue[]]));
    const collectionId = database.collections.get(child.collection);
    if (collectionId !== undefined && lists.size > 0) {
      const indexes = declaredIndexesOf(database, collectionId);
      const rule = ruleOf?.(child.collection) ?? null;
      const of = { collectionId, parentCollection: collection, field, parentIds: [...lists.keys()], indexes, rule };
      for (const { parentId, document } of await reader.children(of, answer.room, answer.form)) {
        const shown = answer.show(document);
        answer.note(`${field}/${document.id}`, shown);
        lists.get(parentId)?.push(taken(shown, answer.room));
      }
    }
    return documents.map((document) => ({ ...document, [field]: lists.get(String(document._id)) ?? [] }));
  }

  async function addReferring(
    { database, ruleOf }: RelatedTarget,
    document: JsonObject,
    referring: NonNullable<Plan['referring']>,
    answer: Answer,
  ): Promise<JsonObject> {
    const referencedby: [string, JsonValue][] = [];
    for (const { collection, collectionId, fields } of referring) {
      const rule = ruleOf?.(collection) ?? null;
      const filter = refersTo(String(document._id), fields);
      const of = { collectionId, filter, indexes: declaredIndexesOf(database, collectionId), rule };
      const found = await reader.matching(of, answer.room, answer.form);
      const list = found.map((other) => {
        const shown = answer.show(other);
        answer.note(`by ${collection}/${other.id}`, shown);
        return taken(shown, answer.room);
      });
      referencedby.push([collection, list]);
    }
    return { ...document, referencedby: Object.fromEntries(referencedby) };
  }

  return {
    async expand(target, texts, shape, { isOne }) {
      const plan = planOf(target, texts, shape, isOne);
      if (plan === null) return null;
      const size = texts.reduce((sum, text) => sum + text.length, 0);
      const room = { documents: documentsLimit, chars: pageLimitChars - size };
      const answer = new Answer(room, shape.metafields, isOne);
      let documents = texts.map((text) => JSON.parse(text) as JsonObject);
      const { places, links, children, referring } = plan;
      if (links !== null) documents = documents.map((document) => linkAll(document, links, places, room));
      else if (places !== null) documents = await embedReferences(target, documents, places, answer);
      for (const child of children) documents = await addChildren(target, documents, child, answer);
      const [only] = documents;
      if (referring !== null && only !== undefined) documents = [await addReferring(target, only, referring, answer)];
      return { documents, parts: answer.parts };
    },
  };
}

/** Null when the answer is the documents alone. Most collections have no relations, and most texts no references: one look at each text says so. */
function planOf(target: RelatedTarget, texts: readonly string[], shape: Shape, isOne: boolean): Plan | null {
  const { database, collection, collectionId, mayGet, ruleOf, origin } = target;
  const { related } = shape;
  const fields = relationFieldsOf(database, collectionId);
  const links = related.links && origin !== undefined ? { origin, files: fields.files } : null;
  const places = related.relations || links !== null ? placesOf(fields, texts, shape.fields) : null;
  const isLinked = links !== null && (places !== null || fields.files.size > 0);
  const children = related.children
    ? [...fields.children]
        .map(([field, other]) => ({ field, collection: other }))
        .filter(({ field, collection: other }) => isShownBy(shape.fields, field) && mayGet?.(other))
        .filter(({ field }) => isAskable(ruleOf?.(collection), field))
    : [];
  const referring =
    isOne && related.referencedBy
      ? fieldsReferringTo(database, collection)
          .filter(({ collection: other }) => mayGet?.(other))
          .map((other) => ({
            ...other,
            fields: other.fields.filter((field) => isAskable(ruleOf?.(other.collection), field)),
          }))
          .filter(({ fields: shown }) => shown.length > 0)
      : null;
  if (!isLinked && places === null && children.length === 0 && referring === null) return null;
  return { places, links: isLinked ? links : null, children, referring };
}

function placesOf(
  { relations }: RelationFields,
  texts: readonly string[],
  fields: Projection | null,
): ReferencePlaces | null {
  const isShown = (field: string) => isShownBy(fields, field);
  const isDeclared = [...relations.keys()].some(isShown);
  const anywhere = texts.some(mayHoldReferences);
  return isDeclared || anywhere ? { relations, anywhere, isShown } : null;
}

/** Whether the rule shows the field of every document. */
function isAskable(rule: Rule | null | undefined, field: string): boolean {
  return askableFields(rule ?? null)?.has(field) ?? true;
}

/** Whether anything of a root field is answered. */
function isShownBy(fields: Projection | null, field: string): boolean {
  if (fields === null) return true;
  return fields.mode === 'include' ? fields.tree.has(field) : fields.tree.get(field) !== null;
}

/** Another document as it is shown, with its text's length. `tag` is null when its version was not read. */
type Shown = { document: JsonObject; chars: number; tag: string | null };

/** What the answer has room for, how it shows other documents, and what it has shown. */
class Answer {
  readonly form: RelatedForm;
  readonly parts: string[] = [];

  constructor(
    readonly room: Room,
    private readonly metafields: boolean,
    private readonly isTagged: boolean,
  ) {
    this.form = { whole: metafields || isTagged };
  }

  show(stored: LastDocument): Shown {
    const isWhole = 'version' in stored;
    const text = isWhole && this.metafields ? encodeWithMetafields(stored) : encodeDocument(stored);
    const tag = isWhole ? entityTag(stored) : null;
    return { document: JSON.parse(text) as JsonObject, chars: text.length, tag };
  }

  /** `shown` undefined: it is missing, or not for this reader. */
  note(what: string, shown: Shown | undefined): void {
    if (this.isTagged) this.parts.push(`${what} ${shown?.tag ?? '-'}`);
  }
}

/** The same document may stand in many places: each counts. */
function taken({ document, chars }: Shown, room: Room): JsonObject {
  room.chars -= chars;
  if (room.chars < 0) throw answerTooLarge();
  return document;
}

/** What is missing stays a reference. */
function embedded({ collection, id, declared }: FoundReference, shown: Shown | undefined, room: Room): JsonObject {
  if (declared) return shown === undefined ? { _id: id } : taken(shown, room);
  if (shown === undefined) return { $ref: collection, $id: id };
  const { _id, ...fields } = taken(shown, room);
  return { $ref: collection, $id: id, ...fields };
}

function linkAll(
  document: JsonObject,
  { origin, files }: NonNullable<Plan['links']>,
  places: ReferencePlaces | null,
  room: Room,
): JsonObject {
  const link = (url: string) => {
    room.chars -= url.length;
    if (room.chars < 0) throw answerTooLarge();
    return url;
  };
  const linked = linkFiles(document, files, (id) => link(linkTo(origin, 'media', id)));
  if (places === null) return linked;
  return mapReferences(linked, places, ({ collection, id }) => link(linkTo(origin, 'rest', collection, id)));
}

/** In one of the fields: `{"_id"}` in an array, or alone. */
function refersTo(id: string, fields: readonly string[]): Filter {
  const items = fields.map(
    (field): Filter => ({ kind: 'field', path: [field, '_id'], test: { kind: 'in', values: [id] } }),
  );
  return { kind: 'or', items };
}
