import { expect, test } from 'vitest';
import { prettyJson, tokenizeJson } from './json-tokens.js';

test('the tokens joined are the text, whatever stands in the strings', () => {
  const nasty = { 'a:"b"': ['</script>', '\\"', '1e5', true, null, -1.5e-7, { deep: ['é\u2028'] }], '': {} };
  const text = prettyJson(nasty);
  const joined = tokenizeJson(text)
    .map((token) => token.text)
    .join('');
  expect(joined).toBe(text);
});

test('keys, strings, numbers and words are told apart', () => {
  const kinds = tokenizeJson('{"n":1,"s":"true","b":false}').filter(({ kind }) => kind !== 'mark');
  expect(kinds).toEqual([
    { kind: 'key', text: '"n"' },
    { kind: 'number', text: '1' },
    { kind: 'key', text: '"s"' },
    { kind: 'string', text: '"true"' },
    { kind: 'key', text: '"b"' },
    { kind: 'word', text: 'false' },
  ]);
});
