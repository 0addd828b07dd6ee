/** The transactions of admins' changes: a change and its entry in the audit log, or neither. */
import type { AdminClient } from '@tidewire/db/client';

/** What a change may use of Prisma inside its transaction. */
export type AdminTransaction = Parameters<Parameters<AdminClient['$transaction']>[0]>[0];

/** A writer may hold the lock of a database's head for as long as its batch takes; Prisma's own limits (2 s, 5 s) would be in the way then. */
const WAIT_MS = 10_000;

/** Commits when the work resolves, takes everything back when it rejects. */
export function inTransaction<T>(prisma: AdminClient, work: (transaction: AdminTransaction) => Promise<T>): Promise<T> {
  return prisma.$transaction(work, { maxWait: WAIT_MS, timeout: WAIT_MS });
}
