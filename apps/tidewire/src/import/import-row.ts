/** A row of a file that is imported: where it stands, and what it holds or what is wrong with it. */
import type { JsonValue } from '@tidewire/protocol/json';

/** `line` counts from 1. */
export type ImportRow = { line: number } & ({ value: JsonValue } | { reason: string });

export type ImportFormat = 'ndjson' | 'json' | 'csv';
export const importFormats: readonly ImportFormat[] = ['ndjson', 'json', 'csv'];

/** The file as a whole cannot be read in this format; the message says what to do. */
export class UnreadableFileError extends Error {
  override readonly name = 'UsageError';
}
