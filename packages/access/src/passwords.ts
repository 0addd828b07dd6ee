/** Hashing of passwords with argon2id, bounded so that many sign-ins at once cannot take all memory. */
import { hash, verify } from '@node-rs/argon2';
import { Problem } from '@tidewire/protocol/problem';
import { createSemaphore, type Semaphore } from './semaphore.js';

export interface Passwords {
  /** The PHC string of a password. Throws `too_many_requests` when too many wait. */
  hash(password: string): Promise<string>;
  /**
   * Whether the password fits; with `null`, for an account that does not exist, it takes as long and answers false. Throws
   * `too_many_requests` when too many wait.
   */
  verify(stored: string | null, password: string): Promise<boolean>;
}

/** OWASP's minimum for argon2id (Password Storage Cheat Sheet): 19 MiB, two passes, one lane. */
const cost = { memoryCost: 19_456, timeCost: 2, parallelism: 1 };
const AT_ONCE = 2;
const WAITING = 100;
const RETRY_AFTER_S = 5;

/** Holds at most 2 × 19 MiB at a time. */
export function createPasswords(semaphore: Semaphore = createSemaphore(AT_ONCE, WAITING)): Passwords {
  // What is verified against for unknown accounts: a good hash of a text that nobody knows.
  const nobody = hash(crypto.randomUUID(), cost);

  async function bounded<T>(work: () => Promise<T>): Promise<T> {
    const outcome = await semaphore.run(work);
    if (outcome.status === 'done') return outcome.value;
    throw new Problem(
      'too_many_requests',
      `Too many people sign in at this moment. Try again in ${RETRY_AFTER_S} seconds.`,
      {
        headers: { 'Retry-After': String(RETRY_AFTER_S) },
      },
    );
  }

  return {
    hash: (password) => bounded(() => hash(normalize(password), cost)),
    verify: (stored, password) =>
      bounded(async () => {
        const fits = await verify(stored ?? (await nobody), normalize(password));
        return fits && stored !== null;
      }),
  };
}

/** The same letters typed on different systems are the same password (NIST SP 800-63B, section 5.1.1.2). */
function normalize(password: string): string {
  return password.normalize('NFKC');
}
