/** Postgres's and its driver's errors, told apart by what can be done about them. */
import { Problem } from '@tidewire/protocol/problem';

/** `lost`: the connection is gone or was never made. `again`: the same transaction may well pass now. `refused`: it will never pass. */
export type FailureKind = 'lost' | 'again' | 'refused';

/** SQLSTATEs and classes (first two characters), PostgreSQL's appendix A. */
const lostStates = new Set(['57P01', '57P02', '57P03', '53300', '25006', '25P03']);
const againStates = new Set(['40001', '40P01', '55P03']);

/** Codes that Node gives to failed sockets. */
const socketCodes = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ENOENT',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'EAI_AGAIN',
  'ENOTFOUND',
]);

/** What the driver says without a code when a connection ends under a query, or cannot be had in time. */
const lostMessages =
  /^(Connection terminated|Client has encountered a connection error|timeout exceeded when trying to connect|Query read timeout|Client was closed)/;

/** The SQLSTATE or socket code of an error, or an empty string. */
export function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : '';
}

export function kindOfFailure(error: unknown): FailureKind {
  const code = codeOf(error);
  if (code.startsWith('08') || lostStates.has(code) || socketCodes.has(code)) return 'lost';
  if (error instanceof Error && lostMessages.test(error.message)) return 'lost';
  return againStates.has(code) ? 'again' : 'refused';
}

/** The public form of a failure that will not pass by trying again, or null when it is an accident of ours. */
export function problemOfFailure(error: unknown): Problem | null {
  const code = codeOf(error);
  if (code === '23505')
    return new Problem('conflict', 'A document with the same _id or unique value exists already.', { cause: error });
  if (code === '22P05') return refuse('a text holds the character U+0000, which cannot be stored', error);
  if (code.startsWith('22')) return refuse('a value cannot be stored', error);
  if (code.startsWith('54')) return refuse('the document is too large or nested too deeply', error);
  if (code === '57014')
    return new Problem('unavailable', 'The statement took too long and was stopped; nothing was stored.', {
      cause: error,
    });
  if (code.startsWith('53'))
    return new Problem('unavailable', 'The database server is out of room; nothing was stored.', { cause: error });
  return kindOfFailure(error) === 'lost' ? databaseUnavailable(error) : null;
}

function refuse(detail: string, cause: unknown): Problem {
  return new Problem('validation_failed', `The document was refused: ${detail}.`, { cause });
}

/** For reads, and for writes of which nothing was sent. */
export function databaseUnavailable(cause?: unknown): Problem {
  return new Problem('unavailable', 'The database server cannot be reached; nothing was stored. Try again shortly.', {
    headers: { 'Retry-After': '1' },
    cause,
  });
}
