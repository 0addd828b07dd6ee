/**
 * A channel is the custom events of one name and of the names below it: `chat` is `chat`, shown as plain messages, and `chat.typing`, shown as `typing`. A name that has a meaning
 * of its own on a stream (`chat.error`) is shown whole, so that nobody can pretend to be the browser or the server.
 */
import type { LogEvent } from '@tidewire/change-log/log-event';
import { reservedEventNames } from '@tidewire/protocol/names';
import { encodeBlock } from '@tidewire/sse/encode';
import type { EventFilter } from './event-filter.js';
import { createView, type StreamView } from './stream-view.js';

/** The form of a channel's stream: the data is the message itself, a text as it is and all else as JSON. Its ping is `heartbeat` with `OK`. */
export function createChannelView(channel: string): StreamView {
  return createView(`channel ${channel}`, {
    opening: encodeBlock({ retry: 2000 }),
    ping: 'heartbeat',
    block: (event) => {
      const data = messageText(event.data ?? 'null');
      const name = messageEvent(channel, event.name ?? '');
      return name === 'message' ? { data } : { event: name, data };
    },
  });
}

/** Lets the messages of the channel pass. */
export function createChannelFilter(channel: string): EventFilter {
  const below = `${channel}.`;
  return {
    signature: `channel ${channel}`,
    passes: ({ type, name }) => type === 'publish' && name !== null && (name === channel || name.startsWith(below)),
    query: null,
    channel,
  };
}

/** The event under which a message of the channel is shown; `message` for one without a name of its own. */
export function messageEvent(channel: string, name: string): string {
  if (name === channel) return 'message';
  const own = name.slice(channel.length + 1);
  return own === '' || own === 'heartbeat' || reservedEventNames.has(own) ? name : own;
}

/** The JSON text of `{id, event, data, at}`, as lists of a channel show a message. */
export function encodeMessage(channel: string, { id, name, data, at }: LogEvent): string {
  const head = JSON.stringify({ id, event: messageEvent(channel, name ?? '') });
  return `${head.slice(0, -1)},"data":${data},"at":"${at}"}`;
}

/** A text as it is, so that a client reads it without parsing. */
function messageText(json: string): string {
  return json.startsWith('"') ? String(JSON.parse(json)) : json;
}
