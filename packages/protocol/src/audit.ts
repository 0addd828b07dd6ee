/** The audit log on the wire: what admins, and people at the command line, have changed. */
import { z } from 'zod';

/** One change. `before` is null when it was not there, `after` when it is gone; neither holds a secret. Time is ISO 8601 in UTC. */
export const auditEntrySchema = z.object({
  id: z.number(),
  at: z.string(),
  /** `admin:<id>`, `cli` or `system`. */
  actor: z.string(),
  /** What people call them: the e-mail address, or the user of the command line. */
  name: z.string(),
  /** What was done to what kind of thing, as in `key.create`. */
  action: z.string(),
  /** The database's name at that time; null when it was done to none. */
  database: z.string().nullable(),
  /** What it was done to: a key's id, the name of a collection, an e-mail address. */
  subject: z.string(),
  before: z.unknown(),
  after: z.unknown(),
  /** Address of the client; empty for the command line. */
  address: z.string(),
});
export type AuditEntryAnswer = z.infer<typeof auditEntrySchema>;

/** `GET /api/audit`: newest first. `next` is the `before` of the next page, null on the last one. */
export const auditPageSchema = z.object({ data: z.array(auditEntrySchema), next: z.number().nullable() });
export type AuditPage = z.infer<typeof auditPageSchema>;
