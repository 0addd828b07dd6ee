/** The sessions of admins: a signed cookie in the browser that names a row in Postgres; without the row it is worth nothing. */
import { createHmac } from 'node:crypto';
import type { AdminClient } from '@tidewire/db/client';
import { SignJWT } from 'jose';
import type { AdminPrincipal } from './principal.js';

/** How long a session lasts. */
export const sessionLifetimeMs = 7 * 24 * 60 * 60_000;

/** Who issues session tokens, and whom they are for; both are checked. */
export const sessionTokenIssuer = 'tidewire';
export const sessionTokenAudience = 'tidewire-dashboard';

export interface AdminSessions {
  /** Begins a session; `token` is the cookie's value. */
  start(adminId: string): Promise<{ token: string; expiresAt: Date }>;
  /** Who a session belongs to, or null when it has ended. Reads the row each time, so an ended session is ended at once. */
  find(sessionId: string): Promise<AdminPrincipal | null>;
  /** Ends it; ending it again changes nothing. */
  end(sessionId: string): Promise<void>;
  /** Removes those that are over; to be called now and then. */
  sweep(): Promise<void>;
}

export type AdminSessionsDeps = { prisma: AdminClient; serverSecret: string; now: () => number };

/** The key that session tokens are signed with: of its own, made from the server's secret. */
export function sessionTokenKey(serverSecret: string): Buffer {
  return createHmac('sha256', serverSecret).update('tidewire session token').digest();
}

export function createAdminSessions({ prisma, serverSecret, now }: AdminSessionsDeps): AdminSessions {
  const key = sessionTokenKey(serverSecret);

  return {
    async start(adminId) {
      const startedAt = now();
      const expiresAt = new Date(startedAt + sessionLifetimeMs);
      const { id } = await prisma.adminSession.create({ data: { adminId, expiresAt }, select: { id: true } });
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
        select: { admin: { select: { id: true, email: true } } },
      });
      if (session === null) return null;
      return { kind: 'admin', adminId: session.admin.id, email: session.admin.email, sessionId };
    },
    async end(sessionId) {
      await prisma.adminSession.deleteMany({ where: { id: sessionId } });
    },
    async sweep() {
      await prisma.adminSession.deleteMany({ where: { expiresAt: { lte: new Date(now()) } } });
    },
  };
}
