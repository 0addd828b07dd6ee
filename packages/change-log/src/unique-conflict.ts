/** What Postgres says of a unique index of a collection, in the words of who wrote the document. */
import type { CatalogDatabase } from '@tidewire/db/catalog';
import { codeOf } from '@tidewire/db/postgres-errors';
import { Problem } from '@tidewire/protocol/problem';

/** PostgreSQL's unique_violation. */
const UNIQUE_VIOLATION = '23505';
/** The value is cut for the message. */
const shownLength = 60;

/** The id of the declared index that the error is a violation of, or null. */
export function declaredIndexOf(error: unknown): number | null {
  const [, id] = /^documents_declared_(\d+)$/.exec(textOf(error, 'constraint')) ?? [];
  return codeOf(error) !== UNIQUE_VIOLATION || id === undefined ? null : Number(id);
}

/** `conflict` that names the fields, and the value where it is a single text, number or boolean; null when the database has no such index. */
export function uniqueConflict(error: unknown, database: CatalogDatabase | null | undefined): Problem | null {
  const id = declaredIndexOf(error);
  if (id === null || database === null || database === undefined) return null;
  for (const [collectionId, { indexes }] of database.shapes) {
    const definition = indexes.find((index) => index.id === id)?.definition;
    if (definition === undefined || !('fields' in definition)) continue;
    const collection = nameOf(database, collectionId);
    const { fields } = definition;
    const value = fields.length === 1 ? valueIn(textOf(error, 'detail')) : null;
    const shown = value === null ? '' : `: ${value}`;
    const message = fields.length === 1 ? 'another document has this value' : 'another document has these values';
    return new Problem('conflict', `Another document of ${collection} has the same ${fields.join(', ')}${shown}.`, {
      errors: fields.map((field) => ({
        field: `/${field.replaceAll('.', '/')}`,
        message,
        allowed: 'a value that no other document has',
      })),
      cause: error,
    });
  }
  return null;
}

function nameOf({ collections }: CatalogDatabase, collectionId: number): string {
  for (const [name, id] of collections) if (id === collectionId) return name;
  return 'the collection';
}

function textOf(error: unknown, key: 'constraint' | 'detail'): string {
  const value: unknown = error instanceof Error && key in error ? Reflect.get(error, key) : '';
  return typeof value === 'string' ? value : '';
}

/**
 * The value as JSON, from the detail of the error, in whatever language that is: `Key (…)=(<key>, \\x<digest>) …`. The key is that of `packages/query`, which begins with the type; a
 * number's key is its bits.
 */
function valueIn(detail: string): string | null {
  const key = /\)=\((.*), \\x[0-9a-f]{64}\)/s.exec(detail)?.[1] ?? '';
  if (key.startsWith('3')) return textInShort(key.slice(1));
  if (key.startsWith('6')) return key === '6t' ? 'true' : 'false';
  const [, sign, digits] = /^2([np])([0-9a-f]{16})$/.exec(key) ?? [];
  if (digits === undefined) return null;
  const hex =
    sign === 'p' ? digits : [...digits].map((digit) => (15 - Number.parseInt(digit, 16)).toString(16)).join('');
  return String(Buffer.from(hex, 'hex').readDoubleBE(0));
}

function textInShort(text: string): string {
  const characters = [...text];
  return JSON.stringify(characters.length > shownLength ? `${characters.slice(0, shownLength).join('')}…` : text);
}
