import { describe, expect, it } from 'vitest';
import { entityTag } from './entity-tag.js';
import { parseIfMatch } from './precondition.js';

const present = { version: 3, changedAt: '2026-03-01T10:00:00.123Z' };
const tag = entityTag(present);

describe('If-Match', () => {
  it.each(['*', tag, `"other", ${tag}`, `W/"weak",${tag}`])('lets the present document pass with %s', (header) => {
    expect(() => parseIfMatch(header)(present)).not.toThrow();
  });

  it.each(['"other"', `W/${tag}`, '""'])('refuses it with %s, and tells the present tag', (header) => {
    expect(() => parseIfMatch(header)(present)).toThrow(
      expect.objectContaining({ code: 'precondition_failed', status: 412, headers: { ETag: tag } }),
    );
  });

  it.each(['', '3', '"a" "b"', '"a', `${tag},`, '*, "a"'])('does not take %j', (header) => {
    expect(() => parseIfMatch(header)).toThrow(expect.objectContaining({ code: 'bad_request' }));
  });

  it('tells a document that was deleted and made anew from the first one', () => {
    expect(() => parseIfMatch(tag)({ ...present, changedAt: '2026-03-01T10:00:00.124Z' })).toThrow();
  });
});
