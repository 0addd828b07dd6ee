import { expect, it } from 'vitest';
import { holderOf, type UserPrincipal } from './principal.js';

const user = (databaseId: number, subject: string): UserPrincipal => {
  const standing = () => ({ status: 'ended', ended: 'revoked', reason: '' }) as const;
  return { kind: 'user', databaseId, subject, name: subject, user: { standing } };
};

it('users are counted apart by their database, whatever stands in their subjects, and apart from keys', () => {
  const holders = [
    user(1, 'ada'),
    user(2, 'ada'),
    user(1, '2:ada'),
    user(12, 'ada'),
    { kind: 'key', databaseId: 1, keyId: 'ada' } as const,
  ];
  expect(new Set(holders.map(holderOf)).size).toBe(holders.length);
  expect(holderOf(user(1, 'ada'))).toBe(holderOf(user(1, 'ada')));
});
