import { describe, expect, it } from 'vitest';
import { createApiKey, hashApiKey, isApiKey, parseApiKey } from './api-key.js';

describe('an API key', () => {
  it('has the documented form, a public id in front, and its whole text behind the hash', () => {
    const { id, text, prefix, hash } = createApiKey();
    expect(text).toMatch(/^tw_[0-9A-Za-z]{12}_[0-9A-Za-z]{38}$/);
    expect(prefix).toBe(`tw_${id}`);
    expect(text.startsWith(`${prefix}_`)).toBe(true);
    expect(parseApiKey(text)).toEqual({ id });
    expect(isApiKey(text, hash)).toBe(true);
    expect(hash).toMatch(/^[0-9a-f]{64}$/);
  });

  it('is never the same twice and uses the whole alphabet', () => {
    const texts = Array.from({ length: 500 }, () => createApiKey().text);
    expect(new Set(texts).size).toBe(500);
    expect(new Set(texts.join('').replaceAll('_', '')).size).toBe(62);
  });

  it('is known as mistyped from its checksum, whichever character changes', () => {
    const { text } = createApiKey();
    for (let index = 3; index < text.length; index += 1) {
      if (text[index] === '_') continue;
      const other = text[index] === 'x' ? 'y' : 'x';
      expect(parseApiKey(text.slice(0, index) + other + text.slice(index + 1))).toBeNull();
    }
    for (const wrong of [
      '',
      'tw_',
      text.slice(0, -1),
      `${text}0`,
      ` ${text}`,
      `${text}\n`,
      text.toUpperCase(),
      'x'.repeat(1_000_000),
    ]) {
      expect(parseApiKey(wrong)).toBeNull();
    }
  });

  it('does not fit the hash of another key, nor a hash of another length', () => {
    const { text } = createApiKey();
    expect(isApiKey(text, hashApiKey(createApiKey().text))).toBe(false);
    for (const hash of ['', 'x', hashApiKey(text).slice(1)]) expect(isApiKey(text, hash)).toBe(false);
  });
});
