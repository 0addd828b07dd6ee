/** The body of `POST /realtime`: `{"event": NAME, "data": any JSON}`. */
import type { JsonValue } from '@tidewire/protocol/json';
import { eventNamePattern, eventNameRule, reservedEventNames } from '@tidewire/protocol/names';
import { invalid } from '@tidewire/protocol/problem';

/** Throws a `validation_failed` Problem that names the field. Without `data` it is null. */
export function parsePublish(body: JsonValue): { event: string; data: JsonValue } {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) {
    throw invalid('', 'the body must be an object', '{"event": NAME, "data": any JSON}');
  }
  const unknown = Object.keys(body).find((name) => name !== 'event' && name !== 'data');
  if (unknown !== undefined) throw invalid(`/${unknown}`, 'unknown field', 'event, data');
  const { event, data } = body;
  if (typeof event !== 'string' || !eventNamePattern.test(event))
    throw invalid('/event', 'not a name of an event', eventNameRule);
  if (reservedEventNames.has(event)) {
    throw invalid('/event', `${event} has a meaning of its own`, `any name but ${[...reservedEventNames].join(', ')}`);
  }
  return { event, data: data ?? null };
}
