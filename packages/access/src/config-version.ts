/** The version of a database's configuration: raised in the transaction of every change of its settings, keys and collections. */
import type { AdminClient } from '@tidewire/db/client';

/** Tells the other processes that the configuration is at least at this version now. A hint: returns at once, never throws. */
export type ConfigNotice = (databaseId: number, configVersion: number) => void;

/** The statement that raises it; to be put into a transaction with the change. It locks the row that the database's writes lock, for one round trip. */
export function raiseConfigVersion(prisma: Pick<AdminClient, 'logHead'>, databaseId: number) {
  return prisma.logHead.update({
    where: { databaseId },
    data: { configVersion: { increment: 1 } },
    select: { configVersion: true },
  });
}
