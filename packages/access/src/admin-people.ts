/** The people at the dashboard, as owners and the command line see and change them: roles, invitations, and the way back for who lost a password. */
import type { AdminClient } from '@tidewire/db/client';
import type {
  AdminPerson,
  AdminRole,
  CreatedInviteAnswer,
  CreateInviteRequest,
  InviteAnswer,
} from '@tidewire/protocol/admins';
import { Problem } from '@tidewire/protocol/problem';
import { type AdminTransaction, inTransaction } from './admin-transaction.js';
import { type Doer, recordAudit } from './audit-log.js';
import { randomBase62 } from './base62.js';
import { createInviteToken, hashInviteToken } from './invite-token.js';
import type { Passwords } from './passwords.js';

/** How long the link of an invitation is good. */
export const inviteLifetimeMs = 7 * 24 * 60 * 60_000;

export interface AdminPeople {
  /** By e-mail address. */
  list(): Promise<AdminPerson[]>;
  /** Throws `not_found`. */
  get(adminId: string): Promise<AdminPerson>;
  /** The same by e-mail address. */
  find(email: string): Promise<AdminPerson>;
  /** Ends the person's sessions: who has another role signs in again. Throws `not_found`, `conflict` for the last owner. */
  setRole(adminId: string, role: AdminRole, doer: Doer): Promise<AdminPerson>;
  /** With all sessions. Throws `not_found`, `conflict` for the last owner. */
  remove(adminId: string, doer: Doer): Promise<void>;
  /** Newest first; those that are over too, until somebody takes them back. */
  invites(): Promise<InviteAnswer[]>;
  /** The only answer with the token. Takes the place of the one before for the same address. Throws `conflict` for who is an admin. */
  invite(request: CreateInviteRequest, doer: Doer): Promise<CreatedInviteAnswer>;
  /** Throws `not_found`. */
  takeBackInvite(id: string, doer: Doer): Promise<void>;
  /** Sets a new password that nobody knows but who reads the answer, and ends all sessions. Throws `not_found`. */
  resetPassword(email: string, doer: Doer): Promise<string>;
  /** From now on no code is asked for. Throws `not_found`. */
  disableTotp(email: string, doer: Doer): Promise<void>;
}

export type AdminPeopleDeps = { prisma: AdminClient; passwords: Passwords; now: () => number };

/** Any constant; held to the end of each transaction that changes who the owners are. */
const PEOPLE_LOCK = 7_249_114_005;
const uuidPattern = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** Of two who change people at once, the second sees what the first has done: there is one first admin, and never no owner. */
export async function lockPeople(transaction: Pick<AdminTransaction, '$executeRaw'>): Promise<void> {
  await transaction.$executeRaw`SELECT pg_advisory_xact_lock(${PEOPLE_LOCK}::bigint)`;
}

export function createAdminPeople({ prisma, passwords, now }: AdminPeopleDeps): AdminPeople {
  async function read(where: { id?: string; email?: string }): Promise<AdminPerson[]> {
    const rows = await prisma.admin.findMany({
      where,
      orderBy: { email: 'asc' },
      include: { sessions: { where: { expiresAt: { gt: new Date(now()) } }, select: { lastUsedAt: true } } },
    });
    return rows.map(({ id, email, role, totpSecret, createdAt, sessions }) => ({
      id,
      email,
      role,
      hasTotp: totpSecret !== null,
      sessions: sessions.length,
      createdAt: createdAt.toISOString(),
      lastUsedAt:
        sessions
          .map(({ lastUsedAt }) => lastUsedAt.toISOString())
          .sort()
          .at(-1) ?? null,
    }));
  }

  async function get(id: string): Promise<AdminPerson> {
    const [person] = uuidPattern.test(id) ? await read({ id }) : [];
    if (person === undefined) throw nobody();
    return person;
  }

  async function find(email: string): Promise<AdminPerson> {
    const [person] = await read({ email: email.toLowerCase() });
    if (person === undefined) throw nobody();
    return person;
  }

  /** A change of one person, with its entry; taken back when nobody would be owner then. */
  function change(
    id: string,
    work: (transaction: AdminTransaction, before: { email: string; role: AdminRole }) => Promise<void>,
  ): Promise<void> {
    if (!uuidPattern.test(id)) throw nobody();
    return inTransaction(prisma, async (transaction) => {
      await lockPeople(transaction);
      const before = await transaction.admin.findUnique({ where: { id }, select: { email: true, role: true } });
      if (before === null) throw nobody();
      await work(transaction, before);
      if ((await transaction.admin.count({ where: { role: 'owner' } })) === 0) throw lastOwner();
    });
  }

  return {
    list: () => read({}),
    get,
    find,
    async setRole(id, role, doer) {
      await change(id, async (transaction, before) => {
        if (before.role === role) return;
        await transaction.admin.update({ where: { id }, data: { role } });
        await transaction.adminSession.deleteMany({ where: { adminId: id } });
        const values = { before: { role: before.role }, after: { role } };
        await recordAudit(transaction, doer, {
          action: 'admin.role',
          database: null,
          subject: before.email,
          ...values,
        });
      });
      return get(id);
    },
    async remove(id, doer) {
      await change(id, async (transaction, before) => {
        await transaction.admin.delete({ where: { id } });
        await recordAudit(transaction, doer, { action: 'admin.remove', database: null, subject: before.email, before });
      });
    },
    async invites() {
      const rows = await prisma.adminInvite.findMany({ orderBy: [{ createdAt: 'desc' }, { id: 'desc' }] });
      return rows.map(encodeInvite);
    },
    async invite({ email, role }, doer) {
      const token = createInviteToken();
      const at = now();
      const row = await inTransaction(prisma, async (transaction) => {
        await lockPeople(transaction);
        if ((await transaction.admin.count({ where: { email } })) > 0)
          throw new Problem('conflict', `${email} is an admin already. Change the role instead.`);
        await transaction.adminInvite.deleteMany({ where: { email } });
        const row = await transaction.adminInvite.create({
          data: {
            email,
            role,
            hash: hashInviteToken(token),
            invitedBy: doer.name,
            createdAt: new Date(at),
            expiresAt: new Date(at + inviteLifetimeMs),
          },
        });
        await recordAudit(transaction, doer, {
          action: 'invite.create',
          database: null,
          subject: email,
          after: { email, role },
        });
        return row;
      });
      return { ...encodeInvite(row), token };
    },
    async takeBackInvite(id, doer) {
      if (!uuidPattern.test(id)) throw noInvite();
      await inTransaction(prisma, async (transaction) => {
        await lockPeople(transaction);
        const invite = await transaction.adminInvite.findUnique({ where: { id } });
        if (invite === null) throw noInvite();
        await transaction.adminInvite.delete({ where: { id } });
        const { email, role } = invite;
        await recordAudit(transaction, doer, {
          action: 'invite.delete',
          database: null,
          subject: email,
          before: { email, role },
        });
      });
    },
    async resetPassword(email, doer) {
      const { id, email: subject } = await find(email);
      const password = randomBase62(20);
      const passwordHash = await passwords.hash(password);
      await change(id, async (transaction) => {
        await transaction.admin.update({ where: { id }, data: { passwordHash } });
        await transaction.adminSession.deleteMany({ where: { adminId: id } });
        await recordAudit(transaction, doer, { action: 'admin.password', database: null, subject });
      });
      return password;
    },
    async disableTotp(email, doer) {
      const { id, email: subject, hasTotp } = await find(email);
      await change(id, async (transaction) => {
        const data = { totpSecret: null, totpStep: null, recoveryHashes: [] };
        await transaction.admin.update({ where: { id }, data });
        const values = { before: { hasTotp }, after: { hasTotp: false } };
        if (hasTotp) await recordAudit(transaction, doer, { action: 'admin.totp', database: null, subject, ...values });
      });
    },
  };
}

type InviteRow = { id: string; email: string; role: AdminRole; invitedBy: string; createdAt: Date; expiresAt: Date };

function encodeInvite({ id, email, role, invitedBy, createdAt, expiresAt }: InviteRow): InviteAnswer {
  return { id, email, role, invitedBy, createdAt: createdAt.toISOString(), expiresAt: expiresAt.toISOString() };
}

function nobody(): Problem {
  return new Problem('not_found', 'There is no such admin.');
}

function noInvite(): Problem {
  return new Problem('not_found', 'There is no such invitation.');
}

function lastOwner(): Problem {
  return new Problem('conflict', 'This is the last owner. Make somebody else an owner first.');
}
