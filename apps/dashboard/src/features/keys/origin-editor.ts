/** The list of origins while it is edited. The protocol's schema says what an origin is; a trailing slash, as browsers copy it, is taken off. */
import { createKeyRequestSchema } from '@tidewire/protocol/admin-api';

export type OriginEditor = { readonly origins: readonly string[]; readonly draft: string };
export type OriginReading =
  | { outcome: 'empty' }
  | { outcome: 'good'; origin: string }
  | { outcome: 'bad'; message: string };

export function readOrigin(draft: string): OriginReading {
  const text = draft.trim();
  if (text === '') return { outcome: 'empty' };
  const origin = text.endsWith('/') ? text.slice(0, -1) : text;
  const parsed = createKeyRequestSchema.shape.origins.safeParse([origin]);
  return parsed.success
    ? { outcome: 'good', origin }
    : { outcome: 'bad', message: parsed.error.issues[0]?.message ?? '' };
}

/** Takes what is typed into the list; a text that is no origin stays where it is. */
export function addOrigin(editor: OriginEditor): OriginEditor {
  const reading = readOrigin(editor.draft);
  if (reading.outcome !== 'good') return editor;
  return { origins: [...new Set([...editor.origins, reading.origin])], draft: '' };
}

/** The whole list with what is still being typed, or null when that is no origin. */
export function settleOrigins(editor: OriginEditor): string[] | null {
  return readOrigin(editor.draft).outcome === 'bad' ? null : [...addOrigin(editor).origins];
}
