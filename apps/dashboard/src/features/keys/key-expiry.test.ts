import { expect, it } from 'vitest';
import { expiryDraftOf, readExpiry } from './key-expiry.js';

it('shows an expiry in the zone of the reader and reads it back as it was', () => {
  const expiresAt = '2031-03-04T05:06:07.000Z';
  const draft = expiryDraftOf(expiresAt);
  expect(draft).toMatch(/^2031-03-0[345]T\d\d:\d\d$/);
  expect(new Date(draft).toISOString()).toBe('2031-03-04T05:06:00.000Z');
  expect(readExpiry(draft, expiresAt)).toBe(expiresAt);
  expect(readExpiry(draft, null)).toBe('2031-03-04T05:06:00.000Z');
});

it('takes an empty field for never, and knows what is no time', () => {
  expect(expiryDraftOf(null)).toBe('');
  expect(readExpiry('', '2031-03-04T05:06:07.000Z')).toBeNull();
  expect(readExpiry('tomorrow', null)).toBeUndefined();
});
