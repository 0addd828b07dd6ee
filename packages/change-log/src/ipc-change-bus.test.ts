import { describe, expect, it } from 'vitest';
import { changeBusContract } from './change-bus.contract.js';
import type { ChangeBus, ChangeHint } from './change-bus.js';
import { connectChangeBus, createIpcChangeBus, type TextChannel } from './ipc-change-bus.js';
import { publishEvent } from './log-event.fixture.js';
import { createMemoryChangeBus } from './memory-change-bus.js';

/** Both ends of a channel; a text is taken by the other end with `deliver`. */
function createChannel() {
  const queue: (() => void)[] = [];
  const ends = [new Set<(text: string) => void>(), new Set<(text: string) => void>()] as const;
  const end = (own: 0 | 1): TextChannel => ({
    send(text, sent) {
      queue.push(() => {
        for (const listener of ends[own === 0 ? 1 : 0]) listener(text);
        sent();
      });
    },
    onText(listener) {
      ends[own].add(listener);
      return () => ends[own].delete(listener);
    },
  });
  return {
    parent: end(0),
    child: end(1),
    waiting: () => queue.length,
    deliver: () => {
      for (let next = queue.shift(); next !== undefined; next = queue.shift()) next();
    },
  };
}

function fail(error: unknown): void {
  throw error;
}

function eventsFrom(from: number, count = 1, data = '1'): ChangeHint & { kind: 'events' } {
  const events = Array.from({ length: count }, (_, index) => publishEvent(from + index, data));
  return { kind: 'events', databaseId: 1, events };
}

/** A parent with some children. */
function createFamily(children: number, pendingLimitChars?: number) {
  const bus = createMemoryChangeBus({ onError: fail });
  const limit = pendingLimitChars === undefined ? {} : { pendingLimitChars };
  const channels = Array.from({ length: children }, createChannel);
  const disconnect = channels.map(({ parent }) => connectChangeBus(bus, { channel: parent, onError: fail, ...limit }));
  const buses = channels.map(({ child }) => createIpcChangeBus({ channel: child, onError: fail, ...limit }));
  const heardBy = (one: ChangeBus) => {
    const heard: ChangeHint[] = [];
    one.subscribe((hint) => heard.push(hint));
    return heard;
  };
  return {
    bus,
    channels,
    buses,
    disconnect,
    heard: { parent: heardBy(bus), children: buses.map(heardBy) },
    deliver: () => {
      for (const channel of channels) channel.deliver();
      for (const channel of channels) channel.deliver();
    },
  };
}

changeBusContract('the bus of a child process', async (onError) => {
  const { child } = createChannel();
  return createIpcChangeBus({ channel: child, onError });
});

describe('the bus between a process and its children', () => {
  it('carries a hint of the parent to each child once', () => {
    const { bus, heard, deliver } = createFamily(2);
    const hints: ChangeHint[] = [
      eventsFrom(1, 3),
      { kind: 'head', databaseId: 1, head: 9 },
      { kind: 'config', databaseId: 2, configVersion: 3 },
      { kind: 'ephemeral', databaseId: 1, name: 'x', data: '"é\u2028"', actor: 'system', at: '2026' },
    ];
    for (const hint of hints) bus.publish(hint);
    deliver();
    expect(heard.children).toEqual([hints, hints]);
  });

  it('carries a hint of one child to the parent and to the other children, and not back', () => {
    const { buses, heard, deliver } = createFamily(3);
    buses[1]?.publish(eventsFrom(7));
    deliver();
    expect([heard.parent, ...heard.children]).toEqual(Array(4).fill([eventsFrom(7)]));
  });

  it('carries nothing more after it was disconnected', () => {
    const { bus, buses, heard, disconnect, deliver } = createFamily(1);
    disconnect[0]?.();
    bus.publish(eventsFrom(1));
    buses[0]?.publish(eventsFrom(2));
    deliver();
    expect([heard.parent, heard.children[0]]).toEqual([[eventsFrom(1)], [eventsFrom(2)]]);
  });

  it('keeps no more than its bound for a child that takes nothing, and then says where each log and configuration are', () => {
    const { bus, heard, channels, deliver } = createFamily(1, 10_000);
    for (let id = 1; id <= 5_000; id += 1) bus.publish(eventsFrom(id));
    for (const configVersion of [4, 5]) bus.publish({ kind: 'config', databaseId: 2, configVersion });
    bus.publish({ kind: 'ephemeral', databaseId: 1, name: 'x', data: '1', actor: 'system', at: '2026' });
    expect(channels[0]?.waiting()).toBeLessThan(60);
    deliver();
    const [child = []] = heard.children;
    expect(child.slice(0, 3)).toEqual([eventsFrom(1), eventsFrom(2), eventsFrom(3)]);
    expect(child.filter(({ kind }) => kind !== 'events')).toEqual([
      { kind: 'config', databaseId: 2, configVersion: 5 },
      { kind: 'head', databaseId: 1, head: 5_000 },
    ]);
    bus.publish(eventsFrom(5_001));
    deliver();
    expect(child.at(-1)).toEqual(eventsFrom(5_001));
  });

  it('says only where the log ends instead of events that are too large', () => {
    const { bus, heard, deliver } = createFamily(1);
    bus.publish(eventsFrom(77, 2, `"${'x'.repeat(200_000)}"`));
    deliver();
    expect(heard.children[0]).toEqual([{ kind: 'head', databaseId: 1, head: 78 }]);
  });

  it('reports a text that is no hint, and goes on', () => {
    const { parent, child, deliver } = createChannel();
    const errors: unknown[] = [];
    const bus = createIpcChangeBus({ channel: child, onError: (error) => errors.push(error) });
    const heard: ChangeHint[] = [];
    bus.subscribe((hint) => heard.push(hint));
    for (const text of ['{}', 'nonsense', JSON.stringify(eventsFrom(1))]) parent.send(text, () => undefined);
    deliver();
    expect([errors.length, heard]).toEqual([2, [eventsFrom(1)]]);
  });
});
