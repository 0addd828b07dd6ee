import { expect, it } from 'vitest';
import { readUserDocument } from './user-document.js';

it('says the roles, the grants that are grants, and whether the user is switched off', () => {
  const fields = {
    role: 'admin',
    roles: ['member', 'admin', 7],
    realtime: { sub: ['POST:orders', 'PATCH:notes', 'nonsense', 4], pub: ['chat.*', 'a b'] },
    email: 'ann@example.org',
  };
  expect(readUserDocument('1', 3, fields as never)).toEqual({
    id: '1',
    version: 3,
    email: 'ann@example.org',
    roles: ['admin', 'member'],
    realtime: { sub: ['POST:orders', 'PUT:notes'], pub: ['chat.*'] },
    isActive: true,
  });
  for (const strange of [{}, { roles: { a: 1 }, realtime: ['x'], email: 1 }, { realtime: null, active: 'no' }])
    expect(readUserDocument('1', 0, strange as never)).toMatchObject({ roles: [], email: null, isActive: true });
  expect(readUserDocument('1', 0, { active: false }).isActive).toBe(false);
});
