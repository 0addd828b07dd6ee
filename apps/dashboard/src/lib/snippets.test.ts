import { expect, test } from 'vitest';
import { firstSteps } from './snippets.js';

test('every snippet names this host and this key, so that it runs as it stands', () => {
  for (const { code } of firstSteps({ origin: 'http://127.0.0.1:8080', key: 'tw_secret', collection: 'orders' })) {
    expect(code).toContain('http://127.0.0.1:8080/');
    expect(code).toContain('tw_secret');
  }
});

test('without a key a placeholder stands in its place', () => {
  expect(firstSteps({ origin: 'http://x' }).every(({ code }) => code.includes('YOUR_KEY'))).toBe(true);
});
