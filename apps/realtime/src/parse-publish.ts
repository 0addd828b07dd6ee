/** The bodies of `POST /realtime` and `POST /channels/{name}`. */
import type { JsonObject, JsonValue } from '@tidewire/protocol/json';
import { eventNamePattern, eventNameRule, reservedEventNames } from '@tidewire/protocol/names';
import { invalid } from '@tidewire/protocol/problem';
import type { Publication } from './publish-event.js';

/** `{"event": NAME, "data"?: any JSON, "ephemeral"?: boolean}`. Throws a `validation_failed` Problem that names the field. Without `data` it is null. */
export function parsePublish(body: JsonValue): Publication {
  const { event, ...rest } = readBody(body, '{"event": NAME, "data": any JSON}');
  const name = readName(event);
  if (reservedEventNames.has(name)) throw reserved(name, reservedEventNames);
  return { name, ...rest };
}

/** Names that a message of a channel cannot have: they mean something else on its stream. */
const reservedOnChannels: ReadonlySet<string> = new Set([...reservedEventNames, 'heartbeat']);

/** `{"event"?: NAME, "data"?: any JSON, "ephemeral"?: boolean}`; without `event`, or with `message`, it is a plain message. Throws as `parsePublish`. */
export function parseMessage(channel: string, body: JsonValue): Publication {
  const { event, ...rest } = readBody(body, '{"event": NAME, "data": any JSON}');
  if (event === undefined || event === 'message') return { name: channel, ...rest };
  const own = readName(event);
  if (reservedOnChannels.has(own)) throw reserved(own, reservedOnChannels);
  const name = `${channel}.${own}`;
  if (!eventNamePattern.test(name))
    throw invalid('/event', 'the names of the channel and of the event are too long', 'at most 64 characters together');
  return { name, ...rest };
}

type Body = { event: JsonValue | undefined; data: JsonValue; isEphemeral: boolean };

function readBody(body: JsonValue, allowed: string): Body {
  if (typeof body !== 'object' || body === null || Array.isArray(body))
    throw invalid('', 'the body must be an object', allowed);
  const unknown = Object.keys(body).find((name) => !['event', 'data', 'ephemeral'].includes(name));
  if (unknown !== undefined) throw invalid(`/${unknown}`, 'unknown field', 'event, data, ephemeral');
  const { event, data = null, ephemeral = false } = body as Partial<JsonObject>;
  if (typeof ephemeral !== 'boolean') throw invalid('/ephemeral', 'not a boolean', 'true or false');
  return { event, data, isEphemeral: ephemeral };
}

function readName(event: JsonValue | undefined): string {
  if (typeof event === 'string' && eventNamePattern.test(event)) return event;
  throw invalid('/event', 'not a name of an event', eventNameRule);
}

function reserved(name: string, names: ReadonlySet<string>) {
  return invalid('/event', `${name} has a meaning of its own`, `any name but ${[...names].join(', ')}`);
}
