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
  return unavailableCodes.has(codeOf(error)) ? databaseUnavailable(error) : problemOfFailure(error);
}
