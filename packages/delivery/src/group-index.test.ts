import { rightsOfRoles } from '@tidewire/access/role-rights';
import type { LogEvent } from '@tidewire/change-log/log-event';
import type { CatalogRole } from '@tidewire/db/catalog';
import { makeCatalogDatabase } from '@tidewire/db/catalog.fixture';
import type { JsonObject } from '@tidewire/protocol/json';
import { parseFilter } from '@tidewire/query/parse-filter';
import { createRandom, makeDocument, makeFilter, type Random } from '@tidewire/query/random.fixture';
import { describe, expect, it } from 'vitest';
import { type Audience, audienceOf } from './audience.js';
import { createChannelFilter } from './channel-view.js';
import { eventOf } from './delivery.fixture.js';
import { createEventFilter, type EventFilter, noFilter } from './event-filter.js';
import { Group } from './group.js';
import { GroupIndex } from './group-index.js';
import { restdbView } from './stream-view.js';

const { env } = process;
const seed = Number(env.SEED ?? 7);
const audience = { signature: '*', see: (event: LogEvent) => event };
const groupOf = (filter: EventFilter, of: Audience = audience) => new Group(restdbView, of, filter);

/** What a user with this role hears. */
function audienceBy(role: Omit<CatalogRole, 'name' | 'rest' | 'publish'>, sub: string): Audience {
  const database = makeCatalogDatabase({
    roles: new Map([['role', { name: 'role', rest: [], publish: [], ...role }]]),
  });
  const facts = { roles: ['role'], values: { sub, claims: {} }, origins: [], expiresAt: null };
  const rights = rightsOfRoles(database, facts);
  const user = { standing: () => ({ status: 'good' as const, rights, until: Number.POSITIVE_INFINITY }) };
  const verdict = audienceOf({ kind: 'user', databaseId: 1, subject: sub, name: sub, user }, database);
  if (verdict.status !== 'open') throw new Error('no audience');
  return verdict.audience;
}

function makeAudience(random: Random): Audience {
  const rule = () => ({
    q: makeFilter(random),
    ...(random() < 0.4 ? { readFields: ['a', 'b', 'n', 's', 'tags'].filter(() => random() < 0.6) } : {}),
  });
  const listen = random() < 0.5 ? ['*:*'] : [`*:c${below(random, 2)}`, 'PUBLISH:GOAL', `PUT:c${below(random, 2)}`];
  const rules: CatalogRole['rules'] = random() < 0.5 ? { c0: rule() } : { c0: rule(), c1: rule() };
  return audienceBy({ listen, rules }, 'ada');
}

const channels = ['chat', 'chat.room', 'chat.room.1', 'chatter', 'news'];
const names = [...channels, 'chat.other', 'chat.room.1.x', 'c', '.chat', 'news.', 'GOAL'];

const below = (random: Random, limit: number) => Math.floor(random() * limit);

function pick<Value>(random: Random, values: readonly Value[]): Value {
  const value = values[below(random, values.length)];
  if (value === undefined) throw new Error('nothing to pick from');
  return value;
}

function queryOf(q: unknown) {
  const parsed = parseFilter(q);
  return parsed.ok ? parsed.filter : null;
}

function makeEventFilter(random: Random): EventFilter {
  if (random() < 0.3) return createChannelFilter(pick(random, channels));
  const some = (values: string[]) => (random() < 0.3 ? [pick(random, values)] : null);
  return createEventFilter({
    collections: some(['c0', 'c1']),
    events: some(['post', 'put', 'chat.*', 'GOAL']),
    query: random() < 0.7 ? queryOf(makeFilter(random)) : null,
  });
}

function makeEvent(random: Random, id: number): LogEvent {
  const event = { ...eventOf(id), collection: `c${below(random, 2)}` };
  const text = () => JSON.stringify({ _id: event.documentId, ...makeDocument(random, id) });
  const nothing = { documentId: null, before: null, after: null };
  switch (below(random, 6)) {
    case 0:
      return { ...event, ...nothing, type: 'publish', collection: null, name: pick(random, names), data: '1' };
    case 1:
      return { ...event, ...nothing, type: 'rename', name: 'c1' };
    case 2:
      return { ...event, type: 'post', before: null, after: text() };
    case 3:
      return { ...event, type: 'delete', before: text(), after: null };
    default:
      return { ...event, type: 'put', before: text(), after: text() };
  }
}

describe('the groups that events concern', () => {
  it(`are all that show one of them, each once, while groups come and go (1); seed ${seed}`, {
    timeout: 60_000,
  }, () => {
    const random = createRandom(seed);
    const index = new GroupIndex();
    const kept = new Set<Group>();
    let shown = 0;
    let passedOver = 0;
    for (let id = 1; id <= 3_000; id += 1) {
      if (kept.size < 60 || random() < 0.5) kept.add(index.keep(groupOf(makeEventFilter(random))));
      if (kept.size > 80 || random() < 0.3) {
        const group = pick(random, [...kept]);
        kept.delete(group);
        index.remove(group);
      }
      const events = Array.from({ length: 1 + below(random, 3) }, () => makeEvent(random, id));
      const concerned = [...index.concernedBy(events)];
      expect(new Set(concerned).size).toBe(concerned.length);
      for (const group of kept) {
        const isShown = events.some((event) => group.shown(event) !== null);
        if (isShown) expect(concerned, `seed ${seed}, event ${id}`).toContain(group);
        if (isShown) shown += 1;
        else if (!concerned.includes(group)) passedOver += 1;
      }
      expect(concerned.filter((group) => !kept.has(group))).toEqual([]);
    }
    expect([...index.all()]).toHaveLength(kept.size);
    expect(shown).toBeGreaterThan(10_000);
    expect(passedOver).toBeGreaterThan(10_000);
  });

  it(`are all that show one of them, each once, when rules narrow what they may hear (1); seed ${seed}`, {
    timeout: 60_000,
  }, () => {
    const random = createRandom(seed + 1);
    const index = new GroupIndex();
    const kept = new Set<Group>();
    let shown = 0;
    let passedOver = 0;
    let changed = 0;
    for (let id = 1; id <= 1_500; id += 1) {
      if (kept.size < 60 || random() < 0.5)
        kept.add(index.keep(groupOf(makeEventFilter(random), makeAudience(random))));
      if (kept.size > 80 || random() < 0.3) {
        const group = pick(random, [...kept]);
        kept.delete(group);
        index.remove(group);
      }
      const event = makeEvent(random, id);
      const concerned = [...index.concernedBy([event])];
      expect(new Set(concerned).size).toBe(concerned.length);
      for (const group of kept) {
        const seen = group.shown(event);
        if (seen !== null) expect(concerned, `seed ${seed}, event ${id}`).toContain(group);
        if (seen !== null) shown += 1;
        else if (!concerned.includes(group)) passedOver += 1;
        if (seen !== null && seen !== event) changed += 1;
        expect(group.shown(event)).toBe(seen);
      }
    }
    expect([...index.all()]).toHaveLength(kept.size);
    expect(shown).toBeGreaterThan(5_000);
    expect(changed).toBeGreaterThan(500);
    expect(passedOver).toBeGreaterThan(5_000);
  });

  it('are few among 10,000 users who hear what they own', { timeout: 60_000 }, () => {
    const index = new GroupIndex();
    const rules = { note: { q: { $or: [{ owner: '$user.sub' }, { shared: { $in: ['$user.sub', 'all'] } }] } } };
    const audienceOfUser = (n: number) => audienceBy({ listen: ['*:note'], rules }, `u${n}`);
    for (let n = 0; n < 10_000; n += 1) index.keep(groupOf(noFilter, audienceOfUser(n)));
    const eventWith = (after: JsonObject, before: JsonObject): LogEvent => ({
      ...eventOf(1),
      type: 'put',
      collection: 'note',
      before: JSON.stringify(before),
      after: JSON.stringify(after),
    });
    const told = [...index.concernedBy([eventWith({ owner: 'u7', shared: ['u9'] }, { owner: 'u8' })])];
    expect(new Set(told)).toEqual(new Set([7, 8, 9].map((n) => index.keep(groupOf(noFilter, audienceOfUser(n))))));
    expect([...index.concernedBy([{ ...eventWith({}, {}), collection: 'other' }])]).toEqual([]);
    for (const group of [...index.all()]) index.remove(group);
    expect([...index.concernedBy([eventWith({ owner: 'u7' }, {})])]).toEqual([]);
  });

  it('are few among 10,000 filters of one value and 10,000 channels', () => {
    const index = new GroupIndex();
    const everything = index.keep(groupOf(noFilter));
    for (let n = 0; n < 10_000; n += 1) {
      index.keep(groupOf(createEventFilter({ collections: null, events: null, query: queryOf({ owner: n }) })));
      index.keep(groupOf(createChannelFilter(`room.${n}`)));
    }
    const after: JsonObject = { owner: 77 };
    const post: LogEvent = { ...eventOf(1), type: 'post', before: null, after: JSON.stringify(after) };
    const message: LogEvent = { ...eventOf(2), type: 'publish', documentId: null, before: null, after: null, name: '' };
    const ownFilter = createEventFilter({ collections: null, events: null, query: queryOf(after) });
    expect(new Set(index.concernedBy([post]))).toEqual(new Set([everything, index.keep(groupOf(ownFilter))]));
    const told = [...index.concernedBy([{ ...message, name: 'room.5.left' }])];
    expect(told.filter(({ filter }) => filter.channel !== null)).toEqual([
      index.keep(groupOf(createChannelFilter('room.5'))),
    ]);
  });

  it('share one group when they see the same bytes', () => {
    const index = new GroupIndex();
    const first = index.keep(groupOf(createChannelFilter('chat')));
    expect(index.keep(groupOf(createChannelFilter('chat')))).toBe(first);
    index.remove(first);
    expect([...index.all()]).toEqual([]);
    expect(index.keep(groupOf(createChannelFilter('chat')))).not.toBe(first);
  });
});
