/** From the texts of documents to the text of an answer: chosen fields, lifted properties, JSON, CSV or HTML. */
import type { JsonObject } from '@tidewire/protocol/json';
import { project } from '@tidewire/query/projection';
import { createFlattener } from './flatten-document.js';
import { answerTooLarge, pageLimitChars } from './page-limit.js';
import type { Shape } from './read-request.js';
import { encodeCsv, encodeHtml, escapeFormulas, tabulate } from './tabulate.js';

/** Metafields that are hidden unless they are asked for. */
const hiddenFields = ['_created', '_changed', '_createdby', '_changedby', '_version', '_keywords', '_tags'];

/**
 * The array of a list's documents as JSON, or the table of them. `texts` carry the metafields when the shape chooses fields. Nothing is parsed for plain JSON. Throws
 * `bad_request` when the answer outgrows its bounds.
 */
export function encodeDocuments(title: string, texts: readonly string[], shape: Shape): string {
  if (shape.format === 'json' && shape.fields === null && !shape.flatten) return `[${texts.join()}]`;
  return encodeParsedDocuments(title, parseAll(texts), shape);
}

/** The same of documents that were parsed; they may be changed by this. */
export function encodeParsedDocuments(title: string, documents: readonly JsonObject[], shape: Shape): string {
  return encodeObjects(title, shapeAll(documents, shape), shape, ['_id']);
}

/** One document: an object as JSON, a table of one row otherwise. */
export function encodeOne(title: string, text: string, shape: Shape): string {
  if (shape.format === 'json' && shape.fields === null && !shape.flatten) return text;
  return encodeParsedOne(title, JSON.parse(text) as JsonObject, shape);
}

/** The same of a document that was parsed; it may be changed by this. */
export function encodeParsedOne(title: string, document: JsonObject, shape: Shape): string {
  const documents = shapeAll([document], shape);
  return shape.format === 'json' ? encodeBounded(documents) : encodeObjects(title, documents, shape, ['_id']);
}

/** Any objects in the format of the shape. Without any, a table has the `columns` that are given. */
export function encodeObjects(
  title: string,
  objects: readonly JsonObject[],
  { format, escapeFormulas: isEscaping }: Pick<Shape, 'format' | 'escapeFormulas'>,
  columns: readonly string[] = [],
): string {
  if (format === 'json') return `[${encodeBounded(objects)}]`;
  const table = tabulate(isEscaping ? escapeFormulas(objects) : objects, objects.length === 0 ? columns : []);
  const text = format === 'csv' ? encodeCsv(table) : encodeHtml(title, table);
  if (text.length > pageLimitChars) throw answerTooLarge();
  return text;
}

/** The JSON texts of the objects, with commas between them. */
function encodeBounded(objects: readonly JsonObject[]): string {
  const text = objects.map((object) => JSON.stringify(object)).join();
  if (text.length > pageLimitChars) throw answerTooLarge();
  return text;
}

function parseAll(texts: readonly string[]): JsonObject[] {
  return texts.map((text) => JSON.parse(text) as JsonObject);
}

function shapeAll(documents: readonly JsonObject[], { fields, metafields, flatten }: Shape): JsonObject[] {
  const lift = flatten ? createFlattener() : (document: JsonObject) => document;
  return documents.map((document) => {
    if (fields === null) return lift(document);
    if (!metafields && fields.mode === 'exclude') for (const name of hiddenFields) delete document[name];
    return lift(project(fields, document));
  });
}
