import { rightsOfRoles } from '@tidewire/access/role-rights';
import type { LogEvent } from '@tidewire/change-log/log-event';
import type { CatalogRole } from '@tidewire/db/catalog';
import { makeCatalogDatabase } from '@tidewire/db/catalog.fixture';
import type { JsonObject } from '@tidewire/protocol/json';
import { databaseSettingsSchema } from '@tidewire/protocol/settings';
import { describe, expect, it } from 'vitest';
import { type Audience, audienceOf } from './audience.js';
import { eventOf } from './delivery.fixture.js';
import { createEventFilter } from './event-filter.js';
import { Group } from './group.js';
import { restdbView } from './stream-view.js';

const author: CatalogRole = {
  name: 'author',
  rest: [],
  listen: ['*:note'],
  publish: [],
  rules: { note: { q: { owner: '$user.sub' }, readFields: ['owner', 'title'] } },
};

function audienceFor(sub: string, { role = author, isGlobal = false } = {}): Audience {
  const settings = databaseSettingsSchema.parse({ realtime: { global: isGlobal } });
  const database = makeCatalogDatabase({ settings, roles: new Map([[role.name, role]]) });
  const facts = { roles: [role.name], values: { sub, claims: {} }, origins: [], expiresAt: null };
  const rights = rightsOfRoles(database, facts);
  const user = { standing: () => ({ status: 'good' as const, rights, until: 5 }) };
  const verdict = audienceOf({ kind: 'user', databaseId: 1, subject: sub, name: sub, user }, database);
  if (verdict.status !== 'open') throw new Error('no audience');
  return verdict.audience;
}

function change(type: LogEvent['type'], before: JsonObject | null, after: JsonObject | null): LogEvent {
  const text = (document: JsonObject | null) => document && JSON.stringify({ _id: 'd1', ...document });
  return { ...eventOf(1), type, collection: 'note', before: text(before), after: text(after) };
}

const mine = { owner: 'ada', title: 'x', secret: 1 };
const foreign = { owner: 'bob', title: 'y', secret: 2 };
const shownMine = '{"_id":"d1","owner":"ada","title":"x"}';

describe('what a user with a rule hears', () => {
  it.each([
    ['of an own document made', change('post', null, mine), { type: 'post', before: null, after: shownMine }],
    ['of an own one changed', change('put', mine, mine), { type: 'put', before: shownMine, after: shownMine }],
    ['of one that becomes its own', change('put', foreign, mine), { type: 'post', before: null, after: shownMine }],
    ['of one that is given away', change('put', mine, foreign), { type: 'delete', before: shownMine, after: null }],
    ['of an own one deleted', change('delete', mine, null), { type: 'delete', before: shownMine, after: null }],
  ] as const)('%s', (_name, event, shown) => {
    const audience = audienceFor('ada');
    expect(audience.see(event)).toMatchObject({ ...shown, id: 1, documentId: event.documentId });
    expect(audience.see(event)).toBe(audience.see(event));
  });

  it.each([
    ['of documents of others', change('post', null, foreign)],
    ['of changes of them', change('put', foreign, foreign)],
    ['of their end', change('delete', foreign, null)],
    ['of collections without a grant', { ...change('post', null, mine), collection: 'other' }],
  ])('nothing %s', (_name, event) => {
    expect(audienceFor('ada').see(event)).toBeNull();
  });

  it('is bound by the rule although the flag opens every channel', () => {
    const audience = audienceFor('ada', { isGlobal: true });
    expect(audience.see(change('post', null, foreign))).toBeNull();
    const other = { ...change('post', null, foreign), collection: 'other' };
    expect(audience.see(other)).toBe(other);
  });

  it('is the same bytes for users whose rules say the same, and is told apart for others', () => {
    expect(audienceFor('ada').signature).toBe(audienceFor('ada').signature);
    expect(audienceFor('ada').signature).not.toBe(audienceFor('bob').signature);
    const rules = { note: { q: { public: true } } };
    const role = { ...author, rules };
    expect(audienceFor('ada', { role }).signature).toBe(audienceFor('bob', { role }).signature);
  });

  it('is the event itself when a rule hides nothing of it', () => {
    const role = { ...author, rules: { note: { q: { owner: '$user.sub' } } } };
    const event = change('put', mine, mine);
    expect(audienceFor('ada', { role }).see(event)).toBe(event);
  });

  it('is filtered by what is seen, never by what is hidden', () => {
    const group = (q: 'secret' | 'title', value: number | string) =>
      new Group(
        restdbView,
        audienceFor('ada'),
        createEventFilter({
          collections: null,
          events: null,
          query: { kind: 'field', path: [q], test: { kind: 'in', values: [value] } },
        }),
      );
    const event = change('put', mine, mine);
    expect(group('secret', 1).shown(event)).toBeNull();
    expect(group('title', 'x').shown(event)).not.toBeNull();
    expect(group('title', 'y').shown(change('put', foreign, mine))).toBeNull();
    expect(group('title', 'y').shown(change('put', mine, foreign))).toBeNull();
  });
});
