/** The people who may use the dashboard: the first one is set up with a link, all sign in with e-mail and password. */
import type { AdminClient } from '@tidewire/db/client';
import { Problem } from '@tidewire/protocol/problem';
import type { AdminSessions } from './admin-sessions.js';
import type { LoginThrottle } from './login-throttle.js';
import type { Passwords } from './passwords.js';
import type { AdminPrincipal } from './principal.js';
import type { SetupToken } from './setup-token.js';

/** Somebody who has just signed in; `token` is the session cookie's value. */
export type SignedIn = { admin: { id: string; email: string }; token: string; expiresAt: Date };

export interface Admins {
  /** True while there is no admin. */
  isSetupNeeded(): Promise<boolean>;
  /** Makes the first admin: of any number of requests at once, on any number of processes, one succeeds. Throws `forbidden` for a wrong token, `conflict` when there is an admin. */
  setUp(request: { token: string; email: string; password: string }): Promise<SignedIn>;
  /** Throws `unauthenticated`, in the same words for an unknown account and a wrong password, or `too_many_requests`. */
  signIn(request: { email: string; password: string; address: string }): Promise<SignedIn>;
  /** Ends the session. */
  signOut(principal: AdminPrincipal): Promise<void>;
}

export type AdminsDeps = {
  prisma: AdminClient;
  sessions: AdminSessions;
  throttle: LoginThrottle;
  passwords: Passwords;
  setupToken: SetupToken;
};

/** Any constant; held to the end of the transaction that makes the first admin. */
const FIRST_ADMIN_LOCK = 7_249_114_002;
const TRANSACTION_WAIT_MS = 10_000;

export function createAdmins({ prisma, sessions, throttle, passwords, setupToken }: AdminsDeps): Admins {
  async function isSetupNeeded(): Promise<boolean> {
    return (await prisma.admin.findFirst({ select: { id: true } })) === null;
  }

  /** Null when there is an admin already. */
  function createFirst(email: string, passwordHash: string): Promise<{ id: string; email: string } | null> {
    return prisma.$transaction(
      async (transaction) => {
        await transaction.$executeRaw`SELECT pg_advisory_xact_lock(${FIRST_ADMIN_LOCK}::bigint)`;
        if ((await transaction.admin.count()) > 0) return null;
        return transaction.admin.create({ data: { email, passwordHash }, select: { id: true, email: true } });
      },
      { maxWait: TRANSACTION_WAIT_MS, timeout: TRANSACTION_WAIT_MS },
    );
  }

  async function startSession(admin: { id: string; email: string }): Promise<SignedIn> {
    return { admin, ...(await sessions.start(admin.id)) };
  }

  return {
    isSetupNeeded,
    async setUp({ token, email, password }) {
      if (!(await isSetupNeeded())) throw setupIsDone();
      if (!setupToken.matches(token)) {
        throw new Problem(
          'forbidden',
          'The setup token is not right. Use the link that the server printed when it started.',
        );
      }
      const admin = await createFirst(email, await passwords.hash(password));
      if (admin === null) throw setupIsDone();
      return startSession(admin);
    },
    async signIn({ email, password, address }) {
      const verdict = await throttle.attempt(email, address);
      if (verdict.status === 'wait') throw tooManyTries(verdict.seconds);
      const admin = await prisma.admin.findUnique({ where: { email } });
      const fits = await passwords.verify(admin?.passwordHash ?? null, password);
      if (admin === null || !fits) throw new Problem('unauthenticated', 'E-mail address or password is wrong.');
      await throttle.succeed(email, address);
      return startSession({ id: admin.id, email: admin.email });
    },
    signOut: (principal) => sessions.end(principal.sessionId),
  };
}

function setupIsDone(): Problem {
  return new Problem('conflict', 'The setup is done: there is an admin already. Sign in instead.');
}

function tooManyTries(seconds: number): Problem {
  return new Problem(
    'too_many_requests',
    `Too many failed attempts. Try again in ${Math.ceil(seconds / 60)} minutes.`,
    {
      headers: { 'Retry-After': String(seconds) },
    },
  );
}
