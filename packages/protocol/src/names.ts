/** The grammar of names and ids on the wire. */

/** Name of a database: lower case, so that it can stand in a host name or on a command line. */
export const databaseNamePattern = /^[a-z][a-z0-9_-]{0,62}$/;
/** `databaseNamePattern` in words, for messages. */
export const databaseNameRule = 'a lower-case letter, then at most 62 of a-z 0-9 _ -';

/** Name of a collection: as restdb.io's, a letter first. A leading underscore is kept for the system's own paths (`_jsapi.js`). */
export const collectionNamePattern = /^[A-Za-z][A-Za-z0-9_-]{0,62}$/;
/** `collectionNamePattern` in words, for messages. */
export const collectionNameRule = 'a letter, then at most 62 of A-Z a-z 0-9 _ -';

/** Id of a document: 24 lower-case hex digits, as an ObjectId. */
export const documentIdPattern = /^[0-9a-f]{24}$/;
/** `documentIdPattern` in words, for messages. */
export const documentIdRule = '24 hex digits, as in 577cf185e2039b0900000016';

/** Name of a custom event: no CR, LF, NUL or blank can stand in it, so it can never break an SSE block. */
export const eventNamePattern = /^[A-Za-z][A-Za-z0-9_.:-]{0,63}$/;
/** `eventNamePattern` in words, for messages. */
export const eventNameRule = 'a letter, then at most 63 of A-Z a-z 0-9 _ . : -';

/**
 * Event names that an `EventSource` or Tidewire gives a meaning of its own; a custom event cannot carry them.
 * `open` and `error` are fired by the browser itself (WHATWG HTML, section 9.2).
 */
export const reservedEventNames: ReadonlySet<string> = new Set([
  'open',
  'error',
  'init',
  'ping',
  'post',
  'put',
  'patch',
  'delete',
  'publish',
  'rename',
  'drop',
  'reset',
  'revoked',
  'expired',
  'snapshot',
  'enter',
  'change',
  'leave',
]);

/** Fields that the server owns; they stand in answers and are never taken from a body. */
export const metafields = [
  '_id',
  '_created',
  '_changed',
  '_createdby',
  '_changedby',
  '_version',
  '_keywords',
  '_tags',
] as const;

/**
 * Fields by which a child names its parent: the parent's `_id`, its collection, and the field of its schema (restdb.io's names,
 * https://restdb.io/docs/parent-child-relations). The server sets them, and they stand with the document's own fields in every answer.
 */
export const parentFields = ['_parent_id', '_parent_def', '_parent_field'] as const;

/** The database that is meant when none is named. It is always there: it is made at the first start, and neither renamed nor deleted. */
export const defaultDatabaseName = 'default';
