/** What admins do with their own account: the password, the one-time codes, the browsers in which they are signed in. */
import type { AdminClient } from '@tidewire/db/client';
import type { AdminSessionAnswer, TotpEnrolment } from '@tidewire/protocol/admins';
import { Problem } from '@tidewire/protocol/problem';
import type { AdminSessions } from './admin-sessions.js';
import { inTransaction } from './admin-transaction.js';
import { tooManyTries, totpContext } from './admins.js';
import { type AuditChange, type Doer, doerOf, recordAudit } from './audit-log.js';
import type { LoginThrottle } from './login-throttle.js';
import type { Passwords } from './passwords.js';
import type { AdminPrincipal } from './principal.js';
import type { SealedSecrets } from './sealed-secrets.js';
import { createRecoveryCodes, createTotpSecret, totpUri, verifyTotp } from './totp.js';

export interface AdminAccount {
  /** Ends all other sessions. Throws `forbidden` for the wrong password, `too_many_requests`. */
  changePassword(admin: AdminPrincipal, request: { password: string; newPassword: string }): Promise<void>;
  /** A secret for an authenticator; nothing is asked for before it is confirmed. Throws `forbidden` for the wrong password, `conflict` when codes are asked for already. */
  beginTotp(admin: AdminPrincipal, request: { password: string }): Promise<TotpEnrolment>;
  /** From now on a code is asked for at sign-in. The recovery codes are shown only now. Throws `forbidden` for a wrong code, `bad_request` for an enrolment that is over or another's. */
  confirmTotp(admin: AdminPrincipal, request: { enrolment: string; code: string }): Promise<string[]>;
  /** No code is asked for any more. Throws `forbidden` for the wrong password. */
  endTotp(admin: AdminPrincipal, request: { password: string }): Promise<void>;
  /** The admin's own sessions, the last one used first. */
  sessions(admin: AdminPrincipal): Promise<AdminSessionAnswer[]>;
  /** Throws `not_found` for a session that is over or of somebody else. */
  endSession(adminId: string, sessionId: string, doer: Doer): Promise<void>;
}

export type AdminAccountDeps = {
  prisma: AdminClient;
  sessions: AdminSessions;
  throttle: LoginThrottle;
  passwords: Passwords;
  secrets: SealedSecrets;
  now: () => number;
};

const ENROLMENT_MS = 10 * 60_000;

export function createAdminAccount(deps: AdminAccountDeps): AdminAccount {
  const { prisma, sessions, throttle, passwords, secrets, now } = deps;

  /** Counted like a sign-in: a browser that somebody left open is no place to guess. */
  async function checkPassword({ adminId, email, address }: AdminPrincipal, password: string): Promise<void> {
    const verdict = await throttle.attempt(email, address);
    if (verdict.status === 'wait') throw tooManyTries(verdict.seconds);
    const row = await prisma.admin.findUnique({ where: { id: adminId }, select: { passwordHash: true } });
    if (!(await passwords.verify(row?.passwordHash ?? null, password)))
      throw new Problem('forbidden', 'The password is wrong.');
    await throttle.succeed(email, address);
  }

  async function hasTotp(adminId: string): Promise<boolean> {
    const row = await prisma.admin.findUnique({ where: { id: adminId }, select: { totpSecret: true } });
    return row !== null && row.totpSecret !== null;
  }

  function ownChange(admin: AdminPrincipal, action: string, values: Pick<AuditChange, 'before' | 'after'> = {}) {
    return { action, database: null, subject: admin.email, ...values };
  }

  return {
    async changePassword(admin, { password, newPassword }) {
      await checkPassword(admin, password);
      const passwordHash = await passwords.hash(newPassword);
      await inTransaction(prisma, async (transaction) => {
        await transaction.admin.update({ where: { id: admin.adminId }, data: { passwordHash } });
        await transaction.adminSession.deleteMany({ where: { adminId: admin.adminId, id: { not: admin.sessionId } } });
        await recordAudit(transaction, doerOf(admin), ownChange(admin, 'admin.password'));
      });
    },
    async beginTotp(admin, { password }) {
      await checkPassword(admin, password);
      if (await hasTotp(admin.adminId)) throw alreadyOn();
      const secret = createTotpSecret();
      const enrolment = secrets.seal(JSON.stringify({ secret, until: now() + ENROLMENT_MS }), enrolmentContext(admin));
      return { secret, uri: totpUri(secret, admin.email), enrolment };
    },
    async confirmTotp(admin, { enrolment, code }) {
      const { secret, until } = openEnrolment(secrets, enrolment, enrolmentContext(admin));
      if (until < now()) throw enrolmentIsOver();
      const step = verifyTotp(secret, code, now());
      if (step === null)
        throw new Problem('forbidden', 'The code is wrong. Look whether the clocks of both devices are right.');
      const { codes, hashes } = createRecoveryCodes();
      const data = {
        totpSecret: secrets.seal(secret, totpContext(admin.adminId)),
        totpStep: step,
        recoveryHashes: hashes,
      };
      await inTransaction(prisma, async (transaction) => {
        const { count } = await transaction.admin.updateMany({ where: { id: admin.adminId, totpSecret: null }, data });
        if (count === 0) throw alreadyOn();
        const values = { before: { hasTotp: false }, after: { hasTotp: true } };
        await recordAudit(transaction, doerOf(admin), ownChange(admin, 'admin.totp', values));
      });
      return codes;
    },
    async endTotp(admin, { password }) {
      await checkPassword(admin, password);
      await inTransaction(prisma, async (transaction) => {
        const data = { totpSecret: null, totpStep: null, recoveryHashes: [] };
        const where = { id: admin.adminId, totpSecret: { not: null } };
        if ((await transaction.admin.updateMany({ where, data })).count === 0) return;
        const values = { before: { hasTotp: true }, after: { hasTotp: false } };
        await recordAudit(transaction, doerOf(admin), ownChange(admin, 'admin.totp', values));
      });
    },
    async sessions({ adminId, sessionId }) {
      return (await sessions.list(adminId)).map((session) => ({ ...session, isCurrent: session.id === sessionId }));
    },
    async endSession(adminId, sessionId, doer) {
      const mine = await sessions.list(adminId);
      if (!mine.some(({ id }) => id === sessionId)) throw new Problem('not_found', 'There is no such session.');
      await sessions.end(sessionId, doer);
    },
  };
}

function enrolmentContext({ adminId }: AdminPrincipal): string {
  return `totp enrolment:${adminId}`;
}

function openEnrolment(secrets: SealedSecrets, sealed: string, context: string): { secret: string; until: number } {
  try {
    return JSON.parse(secrets.open(sealed, context)) as { secret: string; until: number };
  } catch {
    throw enrolmentIsOver();
  }
}

function enrolmentIsOver(): Problem {
  return new Problem('bad_request', 'This enrolment is over, or is not yours. Begin again.');
}

function alreadyOn(): Problem {
  return new Problem('conflict', 'One-time codes are asked for already. Switch them off first.');
}
