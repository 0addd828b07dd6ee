import type { LogEvent } from '@tidewire/change-log/log-event';
import { describe, expect, it } from 'vitest';
import { eventOf } from './delivery.fixture.js';
import { noFilter } from './event-filter.js';
import { type FilterParameters, parseEventFilter } from './parse-event-filter.js';

const filter = (given: Partial<FilterParameters>) => parseEventFilter({ collections: [], events: [], q: [], ...given });

const nothing = { collectionId: null, collection: null, documentId: null, before: null, after: null };
const custom = (name: string): LogEvent => ({ ...eventOf(1), ...nothing, type: 'publish', name, data: '1' });
const change = (
  type: 'post' | 'put' | 'delete',
  before: object | null,
  after: object | null,
  collection = 'c',
): LogEvent => ({
  ...eventOf(1),
  type,
  collection,
  before: before && JSON.stringify(before),
  after: after && JSON.stringify(after),
});
const rename: LogEvent = { ...eventOf(1), type: 'rename', collection: 'old', name: 'new', before: null, after: null };

describe('a filter of events', () => {
  it('lets everything pass when nothing is asked for', () => {
    expect(filter({})).toBe(noFilter);
  });

  it('with collections lets their events pass, a rename under both names, and no custom event', () => {
    const { passes } = filter({ collections: ['c,new'] });
    const events = [change('post', null, {}), change('post', null, {}, 'd'), rename, custom('c')];
    expect(events.map(passes)).toEqual([true, false, true, false]);
  });

  it('with events lets types in any case pass, patch as put, and custom events by name, by prefix or all', () => {
    const changes = [change('post', null, {}), change('put', {}, {}), change('delete', {}, null), rename];
    const customs = [custom('GOAL'), custom('chat.a'), custom('chat')];
    const passed = (events: string) => [...changes, ...customs].map(filter({ events: [events] }).passes);
    expect(passed('POST,patch')).toEqual([true, true, false, false, false, false, false]);
    expect(passed('delete, GOAL, chat.*')).toEqual([false, false, true, false, true, true, false]);
    expect(passed('publish,rename')).toEqual([false, false, false, true, true, true, true]);
  });

  it('with both lets custom events pass that are named beside the types', () => {
    const { passes } = filter({ collections: ['c'], events: ['post', 'GOAL'] });
    const events = [change('post', null, {}), change('put', {}, {}), custom('GOAL'), custom('OTHER')];
    expect(events.map(passes)).toEqual([true, false, true, false]);
  });

  it('holds q against the document after a post, after or before a put, before a delete; what is about no document passes', () => {
    const { passes } = filter({ q: ['{"n":{"$gt":1}}'] });
    const [low, high] = [{ n: 1 }, { n: 2 }];
    expect([change('post', null, low), change('post', null, high)].map(passes)).toEqual([false, true]);
    const puts = [
      change('put', low, low),
      change('put', low, high),
      change('put', high, low),
      change('put', high, high),
    ];
    expect(puts.map(passes)).toEqual([false, true, true, true]);
    expect([change('delete', low, null), change('delete', high, null)].map(passes)).toEqual([false, true]);
    expect([custom('GOAL'), rename].map(passes)).toEqual([true, true]);
  });

  it('has one signature for the ordinary ways to ask for the same, and another for something else', () => {
    const [a, b] = [
      filter({ collections: ['a,b'], q: ['{"x":1,"y":{"$in":[1,2]}}'] }),
      filter({ collections: ['b', 'a', 'a'], q: ['{"y":{"$in":[2,1]},"x":1}'] }),
    ];
    expect(a.signature).toBe(b.signature);
    const others = [filter({ collections: ['a'] }), filter({ events: ['a'] }), filter({ q: ['{"x":1}'] }), noFilter];
    expect(new Set([a, ...others].map(({ signature }) => signature)).size).toBe(5);
  });

  it.each([
    ['a collection that cannot be', { collections: ['a b'] }, 'collections'],
    ['an empty name', { collections: [''] }, 'collections'],
    ['a name with CR LF', { events: ['x\r\nid: 9'] }, 'events'],
    ['a star', { events: ['*'] }, 'events'],
    ['101 names', { events: [Array(101).fill('x').join()] }, 'events'],
    ['q that is no JSON', { q: ['{'] }, 'q'],
    ['q twice', { q: ['{}', '{}'] }, 'q'],
    ['an unknown operator', { q: ['{"a":{"$where":"1"}}'] }, 'q/a/$where'],
  ])('refuses %s and names the place', (_name, given, field) => {
    const refusal = (() => {
      try {
        return filter(given);
      } catch (error) {
        return error;
      }
    })();
    expect(refusal).toMatchObject({ code: 'bad_request', errors: [{ field, allowed: expect.any(String) }] });
  });
});
