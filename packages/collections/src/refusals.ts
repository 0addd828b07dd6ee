/** Refusals that reading and writing share. */
import { documentIdPattern, documentIdRule } from '@tidewire/protocol/names';
import { Problem } from '@tidewire/protocol/problem';

/** A malformed id is the caller's mistake (400), a well-formed one that nobody has is a fact (404). Throws `bad_request`. */
export function checkId(id: string): void {
  if (documentIdPattern.test(id)) return;
  throw new Problem('bad_request', `This is not the _id of a document (allowed: ${documentIdRule}).`, {
    errors: [{ field: 'id', message: 'this is not the _id of a document', allowed: documentIdRule }],
  });
}

/** `not_found` for a collection that is not there and that no write would create. */
export function noCollection(collection: string): Problem {
  return new Problem(
    'not_found',
    `There is no collection ${collection}, and the database's settings (collections.createOnWrite) let no write create it.`,
  );
}

/** `not_found` for a document; `asOf`: after that event. */
export function noDocument(collection: string, id: string, asOf: number | null = null): Problem {
  if (asOf !== null)
    return new Problem(
      'not_found',
      `After event ${asOf} the collection ${collection} had no document with the _id ${id}.`,
    );
  return new Problem('not_found', `The collection ${collection} has no document with the _id ${id}.`);
}
