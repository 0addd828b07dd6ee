import { describe, expect, it } from 'vitest';
import { combinedTag, entityTag, includesEntityTag, ownTag } from './entity-tag.js';

describe('entityTag', () => {
  it('changes with the version and with the time of the change', () => {
    const changedAt = '2026-01-31T09:30:00.123Z';
    const tag = entityTag({ version: 0, changedAt });
    expect(tag).toMatch(/^"0-[0-9a-z]+"$/);
    expect(entityTag({ version: 0, changedAt })).toBe(tag);
    expect(entityTag({ version: 1, changedAt })).not.toBe(tag);
    expect(entityTag({ version: 0, changedAt: '2026-01-31T09:30:00.124Z' })).not.toBe(tag);
  });
});

describe('includesEntityTag', () => {
  it.each(['"1-a"', 'W/"1-a"', '"0-z", "1-a"', ' W/"x" ,W/"1-a" ', '*'])('finds the tag in %s', (header) => {
    expect(includesEntityTag(header, '"1-a"')).toBe(true);
  });
  it.each(['', '1-a', '"1-A"', '"1-ab"', '"1-a', ',,,'])('does not find it in %s', (header) => {
    expect(includesEntityTag(header, '"1-a"')).toBe(false);
  });
});

describe('combinedTag', () => {
  const own = '"3-abc"';

  it('changes with each part, and with their order', () => {
    const tags = [['a 1', 'b 1'], ['a 2', 'b 1'], ['b 1', 'a 1'], ['a 1']].map((parts) => combinedTag(own, parts));
    expect(new Set(tags).size).toBe(4);
    expect(combinedTag(own, ['a 1', 'b 1'])).toBe(tags[0]);
    for (const tag of tags) expect(tag).toMatch(/^"3-abc\.[\w-]{16}"$/);
  });

  it('lets the own tag be read from it', () => {
    expect(ownTag(combinedTag(own, ['a']))).toBe(own);
    expect(ownTag(own)).toBe(own);
  });
});
