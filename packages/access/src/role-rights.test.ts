import type { CatalogRole } from '@tidewire/db/catalog';
import { makeCatalogDatabase } from '@tidewire/db/catalog.fixture';
import { databaseSettingsSchema } from '@tidewire/protocol/settings';
import { describe, expect, it } from 'vitest';
import { mayListen, mayRest } from './admission.js';
import { rightsOfRoles, type UserFacts } from './role-rights.js';
import { askableFields, changeSeenBy, type Rule, reachOf, seenBy } from './rule.js';

const own = { q: { owner: '$user.sub' } };
const roles: CatalogRole[] = [
  { name: 'reader', rest: ['GET:note'], listen: [], publish: [], rules: {} },
  { name: 'author', rest: ['*:note'], listen: ['*:note'], publish: ['chat.*'], rules: { note: own } },
  {
    name: 'guest',
    rest: ['GET:note'],
    listen: [],
    publish: [],
    rules: { note: { q: { public: true }, readFields: ['title'] } },
  },
  { name: 'other', rest: ['GET:city'], listen: ['*:city'], publish: [], rules: {} },
];

function rightsOf(names: string[], facts: Partial<UserFacts> = {}, isGlobal = false) {
  const settings = databaseSettingsSchema.parse({ realtime: { global: isGlobal } });
  const database = makeCatalogDatabase({ settings, roles: new Map(roles.map((role) => [role.name, role])) });
  const values = { sub: 'ada', claims: {} };
  const rights = rightsOfRoles(database, { roles: names, values, origins: [], expiresAt: null, ...facts });
  const { rules } = rights;
  if (rules === undefined) throw new Error('no rules');
  return { database, rights, rules };
}

const mine = { _id: '1', owner: 'ada', title: 'a' };
const publicOne = { _id: '2', owner: 'bob', title: 'b', public: true };
const foreign = { _id: '3', owner: 'bob', title: 'c' };
const seen = (rule: Rule | null) => [mine, publicOne, foreign].map((document) => seenBy(rule, document));

describe('the rights of roles', () => {
  it('are the union of the grants; a role that the database does not have gives nothing', () => {
    const { database, rights } = rightsOf(['reader', 'other', 'nosuch']);
    expect(mayRest(database, rights, 'GET', 'note')).toBe(true);
    expect(mayRest(database, rights, 'GET', 'city')).toBe(true);
    expect(mayRest(database, rights, 'PUT', 'note')).toBe(false);
    expect(rightsOf(['nosuch']).rights.rest).toEqual([]);
  });

  it('without a rule for the collection are bound by none', () => {
    expect(rightsOf(['reader', 'other']).rules.of('GET', 'note')).toBeNull();
    expect(rightsOf(['author', 'other']).rules.of('GET', 'city')).toBeNull();
    expect(rightsOf(['author', 'other']).rules.ofEvents('put', 'city')).toBeNull();
  });

  it('bind each method by the roles that grant it: to read all and to change the own stay two things', () => {
    const { rules } = rightsOf(['reader', 'author']);
    expect(rules.of('GET', 'note')).toBeNull();
    expect(seen(rules.of('PUT', 'note'))).toEqual([mine, null, null]);
    expect(seen(rules.ofEvents('put', 'note'))).toEqual([mine, null, null]);
    expect(seen(rightsOf(['author', 'reader']).rules.of('GET', 'note'))).toEqual([mine, publicOne, foreign]);
  });

  it('let the first role that lets a document through decide on its fields', () => {
    const { rules } = rightsOf(['author', 'guest']);
    const rule = rules.of('GET', 'note');
    expect(seen(rule)).toEqual([mine, { _id: '2', title: 'b' }, null]);
    expect([...(askableFields(rule) ?? [])]).toEqual(['title']);
    expect(askableFields(rules.of('PUT', 'note'))).toBeNull();
  });

  it('of a role without a grant for it say nothing of a method', () => {
    const { rules } = rightsOf(['guest', 'other']);
    expect(seen(rules.of('DELETE', 'note'))).toEqual([null, null, null]);
  });

  it('by the flag of the database or by channels of the user are bound by the rules of all roles', () => {
    expect(seen(rightsOf(['guest', 'other'], {}, true).rules.ofEvents('post', 'note'))).toEqual([
      null,
      { _id: '2', title: 'b' },
      null,
    ]);
    const realtime = { sub: ['POST:note'], pub: ['hello'] };
    const { database, rights, rules } = rightsOf(['guest'], { realtime });
    expect(mayListen(database, rights, 'post', 'note')).toBe(true);
    expect(rights.publish).toEqual(['hello']);
    expect(seen(rules.ofEvents('post', 'note'))).toEqual([null, { _id: '2', title: 'b' }, null]);
    expect(seen(rules.ofEvents('put', 'note'))).toEqual([null, null, null]);
  });

  it('have rules of one signature for users with the same values, and others for others', () => {
    const signature = (sub: string) =>
      rightsOf(['author'], { values: { sub, claims: {} } }).rules.of('GET', 'note')?.signature;
    expect(signature('ada')).toBe(signature('ada'));
    expect(signature('ada')).not.toBe(signature('bob'));
  });

  it('reach the documents of any term', () => {
    expect(reachOf(rightsOf(['author', 'guest']).rules.of('GET', 'note'))?.kind).toBe('or');
    expect(reachOf(rightsOf(['author']).rules.of('GET', 'note'))?.kind).toBe('field');
    expect(reachOf(null)).toBeNull();
  });
});

describe('a change, as a rule shows it', () => {
  const rule = rightsOf(['author']).rules.of('GET', 'note');
  it.each([
    ['is one', mine, { ...mine, title: 'z' }, 'put'],
    ['comes into view', foreign, { ...foreign, owner: 'ada' }, 'post'],
    ['leaves it', mine, { ...mine, owner: 'bob' }, 'delete'],
    ['is nothing', foreign, { ...foreign, title: 'z' }, null],
    ['is made', null, mine, 'post'],
    ['is made for others', null, foreign, null],
    ['is deleted', mine, null, 'delete'],
    ['is deleted for others', foreign, null, null],
  ] as const)('%s', (_name, before, after, type) => {
    expect(changeSeenBy(rule, { before, after })?.type ?? null).toBe(type);
  });
});
