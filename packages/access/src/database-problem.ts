/** What is told to a caller when the database cannot be reached, whether Prisma or the raw driver found out. */
import { codeOf, databaseUnavailable, problemOfFailure } from '@tidewire/db/postgres-errors';
import type { Problem } from '@tidewire/protocol/problem';

/**
 * Prisma's codes (its error reference) for a server that is away (P1001, P1002), too slow (P1008), or ends the connection (P1017), and for
 * a connection (P2024) or transaction (P2028) that could not be had in time.
 */
const unavailableCodes: ReadonlySet<string> = new Set(['P1001', 'P1002', 'P1008', 'P1017', 'P2024', 'P2028']);

/** The Problem for a failure of the database, or null when the error is something else. Fits `translate` of `createHttpApp`. */
export function problemOfDatabaseFailure(error: unknown): Problem | null {
  if (unavailableCodes.has(codeOf(error))) return databaseUnavailable(error);
  return problemOfFailure(driverErrorWithin(error) ?? error);
}

/**
 * Prisma has codes for sockets that fail, but none for what Postgres itself says when it ends a session or starts up (57P01, 57P03): then its error is P2039, with the
 * driver's in `meta` (`@prisma/adapter-pg` 7.10, `convertDriverError`; seen). Null: the error is no such one.
 */
function driverErrorWithin(error: unknown): Error | null {
  const cause = ['meta', 'driverAdapterError', 'cause'].reduce(memberOf, error);
  const code = memberOf(cause, 'originalCode');
  return typeof code === 'string' ? Object.assign(new Error('the driver failed', { cause: error }), { code }) : null;
}

function memberOf(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined;
}
