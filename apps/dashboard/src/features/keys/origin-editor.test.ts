import { expect, test } from 'vitest';
import { addOrigin, readOrigin, settleOrigins } from './origin-editor.js';

test('an origin is taken once, without the slash that browsers put behind it', () => {
  const editor = addOrigin({ origins: ['https://app.example'], draft: ' https://app.example/ ' });
  expect(editor).toEqual({ origins: ['https://app.example'], draft: '' });
  expect(addOrigin({ origins: [], draft: '*' }).origins).toEqual(['*']);
});

test('what is no origin is refused with the rule, and keeps the list from being settled', () => {
  for (const draft of ['app.example', 'https://app.example/path', 'ftp://app.example', 'https://APP.example']) {
    expect(readOrigin(draft)).toMatchObject({
      outcome: 'bad',
      message: expect.stringContaining('https://app.example'),
    });
    expect(settleOrigins({ origins: [], draft })).toBeNull();
  }
});

test('a list is settled with what is still in the field', () => {
  expect(settleOrigins({ origins: ['*'], draft: 'http://localhost:5173' })).toEqual(['*', 'http://localhost:5173']);
});
