/** `flatten=true`: the properties of nested objects at the root, under dotted names. */
import type { JsonObject, JsonValue } from '@tidewire/protocol/json';
import { answerTooLarge, pageLimitChars } from './page-limit.js';

/**
 * Makes a function that lifts `{"a":{"b":1}}` to `{"a.b":1}`, for the documents of one answer. Arrays and empty objects stay as they are; of two values for
 * one name the one that stood nearer to the root stays. Throws `bad_request` when the names alone outgrow an answer: a long name repeats with each
 * property below it.
 */
export function createFlattener(limitChars = pageLimitChars): (document: JsonObject) => JsonObject {
  let size = 0;

  function collect(
    object: JsonObject,
    prefix: string,
    into: Map<string, { value: JsonValue; depth: number }>,
    depth: number,
  ): void {
    for (const [key, value] of Object.entries(object)) {
      const name = prefix + key;
      if (isFilledObject(value)) collect(value, `${name}.`, into, depth + 1);
      else {
        size += name.length;
        if (size > limitChars) throw answerTooLarge();
        const present = into.get(name);
        if (present === undefined || present.depth > depth) into.set(name, { value, depth });
      }
    }
  }

  return (document) => {
    const fields = new Map<string, { value: JsonValue; depth: number }>();
    collect(document, '', fields, 0);
    return Object.fromEntries([...fields].map(([name, { value }]) => [name, value]));
  };
}

function isFilledObject(value: JsonValue): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && Object.keys(value).length > 0;
}
