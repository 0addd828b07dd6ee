import type { LogEvent } from '@tidewire/change-log/log-event';
import { reservedEventNames } from '@tidewire/protocol/names';
import { describe, expect, it } from 'vitest';
import { createChannelFilter, createChannelView, encodeMessage, messageEvent } from './channel-view.js';
import { eventOf } from './delivery.fixture.js';

const nothing = { collectionId: null, collection: null, documentId: null, before: null, after: null };
const message = (name: string, data: string, id = 7): LogEvent => ({
  ...eventOf(id),
  ...nothing,
  type: 'publish',
  name,
  data,
});
const view = createChannelView('chat');
const shown = (name: string, data = '1') => view.encode(message(name, data)).toString();

describe("a channel's stream", () => {
  it('shows its own name as a plain message and the names below it as events', () => {
    expect(shown('chat', '{"a":1}')).toBe('id: 7\ndata: {"a":1}\n\n');
    expect(shown('chat.typing', 'null')).toBe('id: 7\nevent: typing\ndata: null\n\n');
    expect(shown('chat.room.left', '[]')).toBe('id: 7\nevent: room.left\ndata: []\n\n');
  });

  it('gives a text as it is, each of its lines as data, and all else as JSON', () => {
    expect(shown('chat', '"OK"')).toBe('id: 7\ndata: OK\n\n');
    expect(shown('chat', '"one\\nid: 9\\r\\n\\revent: x"')).toBe(
      'id: 7\ndata: one\ndata: id: 9\ndata: \ndata: event: x\n\n',
    );
    expect(shown('chat', '""')).toBe('id: 7\ndata: \n\n');
  });

  it.each([...reservedEventNames, 'heartbeat', ''])(
    'shows an event named %j whole, so that it pretends nothing',
    (own) => {
      expect(messageEvent('chat', `chat.${own}`)).toBe(`chat.${own}`);
    },
  );

  it('has no id for a message that is in no log', () => {
    expect(view.encode(message('chat', '1', 0)).toString()).toBe('data: 1\n\n');
  });

  it('has the messages of its name and below, and nothing else', () => {
    const { passes } = createChannelFilter('chat');
    const names = ['chat', 'chat.a', 'chats', 'cha', 'other.chat', 'Chat'];
    expect(names.map((name) => passes(message(name, '1')))).toEqual([true, true, false, false, false, false]);
    expect(passes(eventOf(1))).toBe(false);
  });

  it('lists a message with its id, event, data as JSON and time', () => {
    expect(JSON.parse(encodeMessage('chat', message('chat.typing', '{"by":"Ada"}')))).toEqual({
      id: 7,
      event: 'typing',
      data: { by: 'Ada' },
      at: '2026-01-01T00:00:00.000Z',
    });
  });
});
