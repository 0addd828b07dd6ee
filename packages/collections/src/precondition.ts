/** The header `If-Match` of writes (RFC 9110, section 13.1.1). */
import { Problem } from '@tidewire/protocol/problem';
import { entityTag, ownTag } from './entity-tag.js';

/** What an entity tag is made of. */
export type Versioned = Parameters<typeof entityTag>[0];

/** Throws `precondition_failed` when the document is not the one that the client has seen. */
export type Precondition = (present: Versioned) => void;

/** An opaque tag in quotes (RFC 9110, section 8.8.3); a weak one is allowed here and never matches. */
const tagPattern = /^(?:W\/)?"[\x21\x23-\x7e\x80-\xff]*"$/;

/** Parses `If-Match`: `*`, or entity tags with commas between. Throws `bad_request` for anything else. */
export function parseIfMatch(header: string): Precondition {
  if (header.trim() === '*') return () => undefined;
  const given = header.split(',').map((tag) => tag.trim());
  if (!given.every((tag) => tagPattern.test(tag))) throw malformed();
  const tags = given.map(ownTag);
  return (present) => {
    const tag = entityTag(present);
    if (!tags.includes(tag)) throw precondition(tag);
  };
}

function precondition(tag: string): Problem {
  return new Problem(
    'precondition_failed',
    'The document has been changed since: its ETag is not one of If-Match. Read it again, and write with the ETag of that answer.',
    { headers: { ETag: tag } },
  );
}

function malformed(): Problem {
  const allowed = 'the ETag of an answer with its quotes, several with commas between, or *';
  return new Problem('bad_request', `The header If-Match is malformed (allowed: ${allowed}).`, {
    errors: [{ field: 'If-Match', message: 'the header is malformed', allowed }],
  });
}
