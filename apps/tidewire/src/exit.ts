/** How the command ends: 0 when all went well, 1 when it failed, 2 when it was called wrongly. */
import { Problem } from '@tidewire/protocol/problem';

export const exitCodes = { ok: 0, failure: 1, usage: 2 } as const;

/** The command was called wrongly; the message says what is allowed. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** The command did its work, and something of it failed; everything that is to be said has been said. */
export class SilentFailure extends Error {
  override readonly name = 'SilentFailure';
}

const plainErrors = new Set([
  'PostgresStartError',
  'DataFolderBusyError',
  'ListenError',
  'UsageError',
  'ConfigError',
  'ConnectError',
]);

/** The text for the person at the terminal: a sentence for what can be expected, the stack for an accident of ours. */
export function describeFailure(error: unknown): string {
  if (error instanceof SilentFailure) return '';
  if (error instanceof Problem) return error.detail;
  if (!(error instanceof Error)) return String(error);
  return plainErrors.has(error.name) ? error.message : (error.stack ?? error.message);
}

export function exitCodeOf(error: unknown): number {
  const isUsage = error instanceof Error && (error.name === 'UsageError' || error.name === 'ConfigError');
  return isUsage ? exitCodes.usage : exitCodes.failure;
}
