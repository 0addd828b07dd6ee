/** The sessions of admins: a signed cookie in the browser that names a row in Postgres; without the row it is worth nothing. */
import { createHmac } from 'node:crypto';
import type { AdminClient } from '@tidewire/db/client';
import type { AdminSessionAnswer } from '@tidewire/protocol/admins';
import { SignJWT } from 'jose';
import { inTransaction } from './admin-transaction.js';
import { type Doer, recordAudit, systemDoer } from './audit-log.js';
import type { AdminPrincipal } from './principal.js';

/** How long a session lasts. */
export const sessionLifetimeMs = 7 * 24 * 60 * 60_000;

/** Who issues session tokens, and whom they are for; both are checked. */
export const sessionTokenIssuer = 'tidewire';
export const sessionTokenAudience = 'tidewire-dashboard';

/** Whose session it is. */
export type SessionOwner = Omit<AdminPrincipal, 'address'>;
/** Where the browser is, and how it names itself. */
export type SessionClient = { address: string; userAgent: string };

export interface AdminSessions {
  /** Begins a session; `token` is the cookie's value. */
  start(adminId: string, client?: SessionClient): Promise<{ token: string; expiresAt: Date }>;
  /** Who a session belongs to, or null when it has ended. Reads the row each time, so an ended session and a changed role count at once. Notes the use, to the minute. */
  find(sessionId: string): Promise<SessionOwner | null>;
  /** Those of an admin that are good, the last one used first. */
  list(adminId: string): Promise<Omit<AdminSessionAnswer, 'isCurrent'>[]>;
  /** Ends it; ending it again changes nothing. */
  end(sessionId: string, doer?: Doer): Promise<void>;
  /** Removes those that are over; to be called now and then. */
  sweep(): Promise<void>;
}

const MINUTE_MS = 60_000;

export type AdminSessionsDeps = { prisma: AdminClient; serverSecret: string; now: () => number };

/** The key that session tokens are signed with: of its own, made from the server's secret. */
export function sessionTokenKey(serverSecret: string): Buffer {
  return createHmac('sha256', serverSecret).update('tidewire session token').digest();
}

export function createAdminSessions({ prisma, serverSecret, now }: AdminSessionsDeps): AdminSessions {
  const key = sessionTokenKey(serverSecret);

  /** Of several at once one writes. */
  async function noteUse(id: string, lastUsedAt: Date): Promise<void> {
    const at = now();
    if (at - lastUsedAt.getTime() < MINUTE_MS) return;
    await prisma.adminSession.updateMany({
      where: { id, lastUsedAt: { lte: new Date(at - MINUTE_MS) } },
      data: { lastUsedAt: new Date(at) },
    });
  }

  return {
    async start(adminId, { address, userAgent } = { address: '', userAgent: '' }) {
      const startedAt = now();
      const expiresAt = new Date(startedAt + sessionLifetimeMs);
      const at = new Date(startedAt);
      const client = { address, userAgent: userAgent.slice(0, 300) };
      const id = await inTransaction(prisma, async (transaction) => {
        const { id, admin } = await transaction.adminSession.create({
          data: { adminId, expiresAt, createdAt: at, lastUsedAt: at, ...client },
          select: { id: true, admin: { select: { email: true } } },
        });
        const doer = { actor: `admin:${adminId}`, name: admin.email, address };
        await recordAudit(transaction, doer, {
          action: 'session.start',
          database: null,
          subject: admin.email,
          after: client,
        });
        return id;
      });
      const token = await new SignJWT({ sid: id })
        .setProtectedHeader({ alg: 'HS256', typ: 'JWT' })
        .setIssuer(sessionTokenIssuer)
        .setAudience(sessionTokenAudience)
        .setIssuedAt(Math.floor(startedAt / 1000))
        .setExpirationTime(Math.floor(expiresAt.getTime() / 1000))
        .sign(key);
      return { token, expiresAt };
    },
    async find(sessionId) {
      const session = await prisma.adminSession.findFirst({
        where: { id: sessionId, expiresAt: { gt: new Date(now()) } },
        select: { lastUsedAt: true, admin: { select: { id: true, email: true, role: true } } },
      });
      if (session === null) return null;
      await noteUse(sessionId, session.lastUsedAt);
      const { id: adminId, email, role } = session.admin;
      return { kind: 'admin', adminId, email, role, sessionId };
    },
    async list(adminId) {
      const rows = await prisma.adminSession.findMany({
        where: { adminId, expiresAt: { gt: new Date(now()) } },
        orderBy: [{ lastUsedAt: 'desc' }, { id: 'desc' }],
      });
      return rows.map(({ id, createdAt, lastUsedAt, expiresAt, address, userAgent }) => ({
        id,
        createdAt: createdAt.toISOString(),
        lastUsedAt: lastUsedAt.toISOString(),
        expiresAt: expiresAt.toISOString(),
        address,
        userAgent,
      }));
    },
    async end(sessionId, doer = systemDoer) {
      await inTransaction(prisma, async (transaction) => {
        const select = { address: true, userAgent: true, admin: { select: { email: true } } };
        const present = await transaction.adminSession.findUnique({ where: { id: sessionId }, select });
        const { count } = await transaction.adminSession.deleteMany({ where: { id: sessionId } });
        if (present === null || count === 0) return;
        const { admin, ...before } = present;
        await recordAudit(transaction, doer, { action: 'session.end', database: null, subject: admin.email, before });
      });
    },
    async sweep() {
      await prisma.adminSession.deleteMany({ where: { expiresAt: { lte: new Date(now()) } } });
    },
  };
}
