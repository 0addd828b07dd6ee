/**
 * The shape of a collection on the wire: its schema and its indexes, as the admin API takes and gives them.
 *
 * A schema is a JSON Schema 2020-12 of `type: object`. Its `properties` may carry, beside what JSON Schema has, these keywords:
 *
 * | keyword | says |
 * |---|---|
 * | `fieldType` | one of `fieldTypes`, those of restdb.io; stands for the JSON Schema that belongs to it |
 * | `unique` | `true`: no two documents have the same value; `null` and missing values do not count |
 * | `default` | the value of a new document that comes without the field |
 * | `autoIncrement` | `true`, or `{"start","step"}`: a new document gets the next number; what a client sends is left out |
 * | `computed` | an expression (CEL) on the other fields; its value is stored with each write, what a client sends is left out |
 * | `collection` | for `relation`, `relations` and `child`: the name of the other collection |
 *
 * All but `default` stand at the root's properties alone.
 */
import { z } from 'zod';
import type { JsonObject } from './json.js';

/** The types of restdb.io's fields (its data field reference, https://restdb.io/docs/datafields). */
export const fieldTypes = [
  'text',
  'richtext',
  'email',
  'number',
  'float',
  'money',
  'bool',
  'date',
  'datetime',
  'time',
  'option',
  'json',
  'image',
  'images',
  'file',
  'files',
  'relation',
  'relations',
  'child',
] as const;
/** One of `fieldTypes`. */
export type FieldType = (typeof fieldTypes)[number];

const path = z.string().min(1).max(256);
const whereSchema = z.record(z.string(), z.json()).transform((value) => value as JsonObject);

/** `text`: the search of `$text` and `filter` looks through whole documents, so an index on some of the fields could never answer it. */
const text = z.array(path).max(0, { message: 'text search looks through the whole document; send [] (allowed: [])' });
const fields = z.array(path).min(1).max(4);

/**
 * What an index covers. `fields`: dotted paths, in order; with `unique`, no two documents have the same values there; with `where`, a query in the query
 * language, only the documents that it is true for. `text`, always empty: the words that `$text` and `filter` look for.
 */
export const indexDefinitionSchema = z.union([
  z.strictObject({
    fields,
    unique: z.boolean().default(false),
    where: whereSchema.nullable().default(null),
  }),
  z.strictObject({ text }),
]);
/** See `indexDefinitionSchema`. */
export type IndexDefinition = z.infer<typeof indexDefinitionSchema>;

/** `ready` can be relied on; `building` and `dropping` are under way; `failed` says why in `error`. */
export const indexStates = ['building', 'ready', 'failed', 'dropping'] as const;
/** One of `indexStates`. */
export type IndexState = (typeof indexStates)[number];

/** Name of an index within its collection. */
export const indexNamePattern = /^[A-Za-z_][A-Za-z0-9_.-]{0,62}$/;

/** Most indexes of a collection, and of all collections of a Postgres together: each of them makes every plan and every write a little dearer. */
export const indexLimits = { collection: 16, server: 128 } as const;

/** `POST …/indexes`: a definition, and a name if it is not to be made of the fields. */
export const createIndexRequestSchema = z
  .strictObject({
    name: z
      .string()
      .regex(indexNamePattern, { message: 'not a name (allowed: a letter or _, then at most 62 of A-Z a-z 0-9 _ . -)' })
      .optional(),
    fields: fields.optional(),
    unique: z.boolean().optional(),
    where: whereSchema.nullable().optional(),
    text: text.optional(),
  })
  .transform(({ name, ...given }, context): { name: string | undefined; definition: IndexDefinition } => {
    if ((given.fields === undefined) === (given.text === undefined)) {
      context.addIssue({ code: 'custom', message: 'an index has either fields or text', path: ['fields'] });
      return z.NEVER;
    }
    if (given.fields !== undefined) {
      const { unique = false, where = null } = given;
      return { name, definition: { fields: given.fields, unique, where } };
    }
    for (const key of ['unique', 'where'] as const) {
      if (given[key] !== undefined)
        context.addIssue({ code: 'custom', message: 'this belongs to an index on fields', path: [key] });
    }
    return { name, definition: { text: [] } };
  });
/** See `createIndexRequestSchema`. */
export type CreateIndexRequest = z.infer<typeof createIndexRequestSchema>;

/** How far a build is. `progress` from 0 to 1 over all phases; `done` of `total` blocks, rows or waits of Postgres's present `phase`. */
export const indexProgressSchema = z.object({
  progress: z.number(),
  phase: z.string(),
  done: z.number(),
  total: z.number(),
});
/** See `indexProgressSchema`. */
export type IndexProgress = z.infer<typeof indexProgressSchema>;

/** Why an index failed. `documents`: for a unique one, groups of `_id`s that have the same values, at most 100 in all. */
export const indexErrorSchema = z.object({ message: z.string(), documents: z.array(z.array(z.string())).optional() });
/** See `indexErrorSchema`. */
export type IndexError = z.infer<typeof indexErrorSchema>;

/** An index as the admin API shows it. `sizeBytes` is what it takes on disk now; `isOfSchema`: it comes and goes with the schema's `unique`. */
export const indexAnswerSchema = z.object({
  name: z.string(),
  definition: indexDefinitionSchema,
  isOfSchema: z.boolean(),
  state: z.enum(indexStates),
  progress: indexProgressSchema.nullable(),
  sizeBytes: z.number(),
  error: indexErrorSchema.nullable(),
  createdAt: z.string(),
});
/** See `indexAnswerSchema`. */
export type IndexAnswer = z.infer<typeof indexAnswerSchema>;

/** What holding the present documents to a schema found: how many were looked at, how many fail, and the first of those with their wrong fields. */
export const schemaCheckSchema = z.object({
  checked: z.number(),
  failingCount: z.number(),
  failing: z.array(
    z.object({
      _id: z.string(),
      errors: z.array(z.object({ field: z.string(), message: z.string(), allowed: z.string().optional() })),
    }),
  ),
});
/** See `schemaCheckSchema`. */
export type SchemaCheck = z.infer<typeof schemaCheckSchema>;

/** `GET /api/databases/{db}/collections/{c}`: `schema` is null when it takes any JSON object. */
export const collectionDetailSchema = z.object({
  name: z.string(),
  documents: z.number(),
  createdAt: z.string(),
  schema: z.record(z.string(), z.json()).nullable(),
  indexes: z.array(indexAnswerSchema),
});
/** See `collectionDetailSchema`. */
export type CollectionDetail = z.infer<typeof collectionDetailSchema>;
