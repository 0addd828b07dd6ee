/** Hints as text, for buses between processes. A hint that goes to several is made a text once. */
import { eventTypes } from '@tidewire/protocol/channel';
import { z } from 'zod';
import type { ChangeHint } from './change-bus.js';

const text = z.string().nullable();
const eventSchema = z.object({
  id: z.int().positive(),
  type: z.enum(eventTypes),
  collectionId: z.int().nullable(),
  collection: text,
  documentId: text,
  before: text,
  after: text,
  name: text,
  data: text,
  actor: z.string(),
  operationId: z.string(),
  at: z.string(),
});
const databaseId = z.int().positive();

/** What a text of another process must be. */
export const changeHintSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('events'), databaseId, events: z.array(eventSchema) }),
  z.object({ kind: z.literal('head'), databaseId, head: z.int().positive() }),
  z.object({ kind: z.literal('config'), databaseId, configVersion: z.int() }),
  z.object({
    kind: z.literal('ephemeral'),
    databaseId,
    name: z.string(),
    data: z.string(),
    actor: z.string(),
    at: z.string(),
  }),
]);

/** Longest text of a hint, in characters, that a bus carries: longer ones say only where the log ends. */
export const defaultHintLimitChars = 256 * 1024;

const texts = new WeakMap<ChangeHint, string>();

/**
 * JSON of the hint. Events of more than `limitChars` become the head alone; an ephemeral event that is longer has no text (null), for
 * there is no log to read it from.
 */
export function encodeHint(hint: ChangeHint, limitChars = defaultHintLimitChars): string | null {
  const whole = texts.get(hint) ?? JSON.stringify(hint);
  if (whole.length <= limitChars) {
    texts.set(hint, whole);
    return whole;
  }
  const last = hint.kind === 'events' ? hint.events.at(-1) : undefined;
  return last === undefined
    ? null
    : JSON.stringify({ kind: 'head', databaseId: hint.databaseId, head: last.id } satisfies ChangeHint);
}

/** The hint of a text. Throws when it is none. */
export function decodeHint(message: string): ChangeHint {
  return changeHintSchema.parse(JSON.parse(message));
}
