/** The form of a new index: what is typed, and the request that it makes. The protocol's schema says what an index is. */
import { createIndexRequestSchema } from '@tidewire/protocol/collection-schema';
import { explainIssues, type FieldErrors } from '../../lib/form/field-errors.js';
import { readJson } from '../../lib/json-places.js';
import type { CreateIndexBody } from './create-index.js';

export type IndexForm = {
  readonly kind: 'fields' | 'text';
  readonly name: string;
  /** Dotted paths apart by commas or blanks, in the order of the index. */
  readonly fields: string;
  readonly isUnique: boolean;
  /** A query as JSON; empty for all documents. */
  readonly where: string;
};

export const emptyIndexForm: IndexForm = { kind: 'fields', name: '', fields: '', isUnique: false, where: '' };

export type IndexFormReading = { ok: true; body: CreateIndexBody } | { ok: false; errors: FieldErrors };

/** The request, or what is wrong in each field. */
export function readIndexForm(form: IndexForm): IndexFormReading {
  const name = form.name.trim() === '' ? {} : { name: form.name.trim() };
  if (form.kind === 'text') return check({ ...name, text: [] }, {});
  const fields = form.fields.split(/[\s,]+/).filter((field) => field !== '');
  const unique = form.isUnique ? { unique: true } : {};
  if (form.where.trim() === '') return check({ ...name, fields, ...unique }, {});
  const where = readJson(form.where);
  if (where.ok && isQuery(where.value)) return check({ ...name, fields, ...unique, where: where.value }, {});
  return check(
    { ...name, fields, ...unique },
    { where: 'This is no query: write a JSON object, as in {"state": "open"}.' },
  );
}

function check(body: CreateIndexBody, ownErrors: FieldErrors): IndexFormReading {
  const parsed = createIndexRequestSchema.safeParse(body);
  const fields: FieldErrors =
    body.fields === undefined
      ? {}
      : body.fields.length === 0
        ? { fields: 'Enter at least one field.' }
        : body.fields.length > 4
          ? { fields: 'An index covers at most 4 fields.' }
          : {};
  const errors = { ...(parsed.success ? {} : explainIssues(parsed.error.issues)), ...fields, ...ownErrors };
  return Object.keys(errors).length === 0 ? { ok: true, body } : { ok: false, errors };
}

function isQuery(value: unknown): value is NonNullable<CreateIndexBody['where']> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
