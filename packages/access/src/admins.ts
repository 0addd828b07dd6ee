/** The way in for the people of the dashboard: the first one is set up with a link, the others accept an invitation, all sign in with e-mail, password and, if they chose so, a one-time code. */
import type { AdminClient } from '@tidewire/db/client';
import type { AdminRole } from '@tidewire/protocol/admins';
import { Problem } from '@tidewire/protocol/problem';
import { lockPeople } from './admin-people.js';
import type { AdminSessions, SessionClient } from './admin-sessions.js';
import { type AdminTransaction, inTransaction } from './admin-transaction.js';
import { doerOf, recordAudit } from './audit-log.js';
import { hashInviteToken } from './invite-token.js';
import type { LoginThrottle } from './login-throttle.js';
import type { Passwords } from './passwords.js';
import type { AdminPrincipal } from './principal.js';
import { SealedSecretError, type SealedSecrets } from './sealed-secrets.js';
import type { SetupToken } from './setup-token.js';
import { hashRecoveryCode, verifyTotp } from './totp.js';

/** Somebody who has just signed in; `token` is the session cookie's value. */
export type SignedIn = { admin: SignedInAdmin; token: string; expiresAt: Date };
type SignedInAdmin = { id: string; email: string; role: AdminRole };

export interface Admins {
  /** True while there is no admin. */
  isSetupNeeded(): Promise<boolean>;
  /** Makes the first admin, an owner: of any number of requests at once, on any number of processes, one succeeds. Throws `forbidden` for a wrong token, `conflict` when there is an admin. */
  setUp(request: { token: string; email: string; password: string }, client?: SessionClient): Promise<SignedIn>;
  /** The same for whoever starts the server, who needs no token and gets no session. False when there is an admin. */
  ensureFirst(request: { email: string; password: string }): Promise<boolean>;
  /** Makes the admin that was invited; a link is good once. Throws `not_found` for a link that is no longer good. */
  acceptInvite(request: { token: string; password: string }, client?: SessionClient): Promise<SignedIn>;
  /**
   * Throws `unauthenticated`, in the same words for an unknown account and a wrong password; `code_needed` when the password is right and a code is asked for;
   * `too_many_requests`.
   */
  signIn(request: SignInRequest): Promise<SignedIn>;
  /** Ends the session. */
  signOut(principal: AdminPrincipal): Promise<void>;
}

/** `code`: of the authenticator, or a recovery code. */
export type SignInRequest = {
  email: string;
  password: string;
  code?: string | undefined;
  address: string;
  userAgent?: string;
};

export type AdminsDeps = {
  prisma: AdminClient;
  sessions: AdminSessions;
  throttle: LoginThrottle;
  passwords: Passwords;
  setupToken: SetupToken;
  secrets: SealedSecrets;
  /** Milliseconds since the epoch. */
  now: () => number;
};

const nowhere: SessionClient = { address: '', userAgent: '' };
const shown = { id: true, email: true, role: true } as const;

export function createAdmins(deps: AdminsDeps): Admins {
  const { prisma, sessions, throttle, passwords, setupToken, secrets, now } = deps;

  async function isSetupNeeded(): Promise<boolean> {
    return (await prisma.admin.findFirst({ select: { id: true } })) === null;
  }

  /** With its entry in the audit log, which it makes itself. */
  async function create(
    transaction: AdminTransaction,
    data: { email: string; passwordHash: string; role: AdminRole },
    { address, action }: { address: string; action: string },
  ): Promise<SignedInAdmin> {
    const admin = await transaction.admin.create({ data, select: shown });
    const doer = { actor: `admin:${admin.id}`, name: admin.email, address };
    const { email: subject, role } = admin;
    await recordAudit(transaction, doer, { action, database: null, subject, after: { email: subject, role } });
    return admin;
  }

  /** Null when there is an admin already. */
  function createFirst(email: string, passwordHash: string, address: string): Promise<SignedInAdmin | null> {
    return inTransaction(prisma, async (transaction) => {
      await lockPeople(transaction);
      if ((await transaction.admin.count()) > 0) return null;
      return create(transaction, { email, passwordHash, role: 'owner' }, { address, action: 'admin.setup' });
    });
  }

  async function startSession(admin: SignedInAdmin, client: SessionClient): Promise<SignedIn> {
    return { admin, ...(await sessions.start(admin.id, client)) };
  }

  /** Uses the code up: of one at once, one is good. */
  async function takeCode(id: string, sealed: string, code: string): Promise<boolean> {
    const secret = openIfOurs(secrets, sealed, totpContext(id));
    const step = secret === null ? null : verifyTotp(secret, code, now());
    if (step !== null) {
      const isNew = { OR: [{ totpStep: null }, { totpStep: { lt: step } }] };
      return (await prisma.admin.updateMany({ where: { id, ...isNew }, data: { totpStep: step } })).count === 1;
    }
    const hash = hashRecoveryCode(code);
    const taken = await prisma.$executeRaw`UPDATE admins SET recovery_hashes = array_remove(recovery_hashes, ${hash})
      WHERE id = ${id}::uuid AND ${hash} = ANY(recovery_hashes)`;
    if (taken === 0 && secret === null) throw secretIsLost();
    return taken === 1;
  }

  return {
    isSetupNeeded,
    async setUp({ token, email, password }, client = nowhere) {
      if (!(await isSetupNeeded())) throw setupIsDone();
      if (!setupToken.matches(token)) {
        throw new Problem(
          'forbidden',
          'The setup token is not right. Use the link that the server printed when it started.',
        );
      }
      const admin = await createFirst(email, await passwords.hash(password), client.address);
      if (admin === null) throw setupIsDone();
      return startSession(admin, client);
    },
    async ensureFirst({ email, password }) {
      if (!(await isSetupNeeded())) return false;
      return (await createFirst(email, await passwords.hash(password), nowhere.address)) !== null;
    },
    async acceptInvite({ token, password }, client = nowhere) {
      const hash = hashInviteToken(token);
      const isGood = { hash, expiresAt: { gt: new Date(now()) } };
      if ((await prisma.adminInvite.count({ where: isGood })) === 0) throw noInvite();
      const passwordHash = await passwords.hash(password);
      const admin = await inTransaction(prisma, async (transaction) => {
        await lockPeople(transaction);
        const invite = await transaction.adminInvite.findFirst({ where: isGood });
        if (invite === null) throw noInvite();
        await transaction.adminInvite.delete({ where: { id: invite.id } });
        const { email, role } = invite;
        return create(transaction, { email, passwordHash, role }, { address: client.address, action: 'invite.accept' });
      });
      return startSession(admin, client);
    },
    async signIn({ email, password, code, address, userAgent = '' }) {
      const verdict = await throttle.attempt(email, address);
      if (verdict.status === 'wait') throw tooManyTries(verdict.seconds);
      const admin = await prisma.admin.findUnique({ where: { email } });
      const fits = await passwords.verify(admin?.passwordHash ?? null, password);
      if (admin === null || !fits) throw new Problem('unauthenticated', 'Email or password is wrong.');
      if (admin.totpSecret !== null) {
        if (code === undefined) throw new Problem('code_needed', 'Type the code that your authenticator shows.');
        if (!(await takeCode(admin.id, admin.totpSecret, code)))
          throw new Problem('unauthenticated', 'The code is wrong, or it was used before. Wait for the next one.');
      }
      await throttle.succeed(email, address);
      return startSession({ id: admin.id, email: admin.email, role: admin.role }, { address, userAgent });
    },
    signOut: (principal) => sessions.end(principal.sessionId, doerOf(principal)),
  };
}

/** What the secret of an admin's one-time codes is sealed for. */
export function totpContext(adminId: string): string {
  return `totp:${adminId}`;
}

/** Null when SECRET_KEY has changed since. */
function openIfOurs(secrets: SealedSecrets, sealed: string, context: string): string | null {
  try {
    return secrets.open(sealed, context);
  } catch (error) {
    if (error instanceof SealedSecretError) return null;
    throw error;
  }
}

function secretIsLost(): Problem {
  return new Problem(
    'unauthenticated',
    'Codes of this account cannot be checked any more, because SECRET_KEY was changed. Use a recovery code, or have it mended at the server: tidewire admin disable-totp.',
  );
}

function setupIsDone(): Problem {
  return new Problem('conflict', 'The setup is done: there is an admin already. Sign in instead.');
}

function noInvite(): Problem {
  return new Problem(
    'not_found',
    'The invitation is no longer good: it was used, taken back, or is over. Ask for another.',
  );
}

/** The refusal of the login throttle. */
export function tooManyTries(seconds: number): Problem {
  return new Problem(
    'too_many_requests',
    `Too many failed attempts. Try again in ${Math.ceil(seconds / 60)} minutes.`,
    {
      headers: { 'Retry-After': String(seconds) },
    },
  );
}
