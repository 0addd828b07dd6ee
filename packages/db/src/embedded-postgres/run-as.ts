/**
 * As whom PostgreSQL runs. It refuses root, so a root caller needs another way, tried in this order:
 *
 * 1. The data belongs to another account already: as that account.
 * 2. `unshare --user` (util-linux): within a user namespace of its own, root is mapped to an ordinary account. Files are still
 *    reached as their real owner, so a clone below /root or in a 0700 folder is no obstacle. `unshare` replaces itself with
 *    the program, so the pid stays.
 * 3. The account that owns the data folder, else the account `postgres`, which is created when there is none.
 */
import { execFile, execFileSync } from 'node:child_process';
import { chownSync, readFileSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { promisify } from 'node:util';
import type { PostgresBinaries } from './binaries.js';
import { PostgresStartError } from './start-error.js';

const run = promisify(execFile);

/** How to spawn: `prefix` goes before the command; with an `account`, spawn with its ids and give it what Postgres must own. */
export type RunAs = { prefix: string[]; account: Account | null };
export type Account = { name: string; uid: number; gid: number };

type Question = { dataDir: string; cluster: string; binaries: PostgresBinaries; info(message: string): void };

/** Finds the way for this process. Throws `PostgresStartError` that says what was tried and what to do. */
export async function chooseRunAs(question: Question): Promise<RunAs> {
  const stat = statSync(question.cluster, { throwIfNoEntry: false });
  const owner = stat?.uid ?? null;
  const me = process.getuid?.() ?? 0;
  if (me !== 0) {
    if (owner === null || owner === me) return { prefix: [], account: null };
    throw new PostgresStartError(
      `${question.cluster} belongs to ${describe(owner)}, and Tidewire runs as ${describe(me)}. ` +
        `Run it as ${describe(owner)}, give the folder away (chown -R), or use another one with DATA_DIR.`,
    );
  }
  const refusals: string[] = [];
  for (const way of waysOfRoot(question, stat === undefined ? null : { uid: stat.uid, gid: stat.gid })) {
    const refusal = await way.refuses();
    if (refusal === null) return way.take();
    refusals.push(refusal);
  }
  throw new PostgresStartError(
    `PostgreSQL refuses to run as root, and no other way was found: ${refusals.join('; ')}. ` +
      'Run Tidewire as an ordinary user, or set DATABASE_URL to use a PostgreSQL of your own.',
  );
}

/** Gives a file or folder to the account that PostgreSQL runs as. */
export function giveTo(runAs: RunAs, path: string): void {
  if (runAs.account !== null) chownSync(path, runAs.account.uid, runAs.account.gid);
}

type Way = { refuses(): Promise<string | null>; take(): RunAs };

function* waysOfRoot(question: Question, clusterOwner: { uid: number; gid: number } | null): Generator<Way> {
  if (clusterOwner !== null && clusterOwner.uid !== 0) {
    yield asAccount(question, { name: describe(clusterOwner.uid), ...clusterOwner });
    return;
  }
  yield inUserNamespace(question);
  if (clusterOwner !== null) return;
  const folderOwner = statSync(question.dataDir).uid;
  if (folderOwner !== 0) yield asAccount(question, accountOf(folderOwner));
  yield asAccount(question, readAccounts().find(({ name }) => name === 'postgres') ?? createPostgresAccount(question));
}

/** `initdb` looks its own account up, so the namespace maps root to an account that exists. */
function inUserNamespace({ dataDir, binaries }: Question): Way {
  const accounts = readAccounts().filter(({ uid }) => uid !== 0);
  const account =
    accounts.find(({ name }) => name === 'postgres') ?? accounts.find(({ name }) => name === 'nobody') ?? accounts[0];
  const prefix = ['unshare', '--user', `--map-user=${account?.uid}`, `--map-group=${account?.gid}`, '--'];
  return {
    async refuses() {
      if (account === undefined) return 'no ordinary account is in /etc/passwd';
      const failure = await tryOut({ prefix, account: null }, binaries, `test -w "$2"`, dataDir);
      return failure === null ? null : `unshare --user: ${failure}`;
    },
    take: () => ({ prefix, account: null }),
  };
}

function asAccount({ dataDir, binaries }: Question, account: Account | string): Way {
  const runAs: RunAs = { prefix: [], account: typeof account === 'string' ? null : account };
  return {
    async refuses() {
      if (typeof account === 'string') return account;
      const failure = await tryOut(runAs, binaries, `test -x "$2"`, dirname(dataDir));
      return failure === null ? null : `as ${account.name}: ${failure}`;
    },
    take() {
      if (statSync(dataDir).uid === 0) giveTo(runAs, dataDir);
      return runAs;
    },
  };
}

/** Runs `postgres --version` and a test of the folder in the way in question. Null when both work, else the reason. */
async function tryOut(runAs: RunAs, binaries: PostgresBinaries, test: string, folder: string): Promise<string | null> {
  const script = `test -x "$1" || { echo "cannot reach $1" >&2; exit 1; }; ${test} || { echo "cannot reach $2" >&2; exit 1; }; exec "$1" --version`;
  const [command = '', ...args] = [...runAs.prefix, '/bin/sh', '-c', script, 'sh', binaries.postgres, folder];
  const ids = runAs.account === null ? {} : { uid: runAs.account.uid, gid: runAs.account.gid };
  try {
    await run(command, args, { ...ids, cwd: '/', timeout: 10_000 });
    return null;
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    if ('code' in error && error.code === 'ENOENT') return `${command} is not installed`;
    const said = 'stderr' in error ? String(error.stderr).trim() : '';
    return said === '' ? error.message : said;
  }
}

function createPostgresAccount({ info }: Question): Account | string {
  try {
    execFileSync('useradd', ['--system', '--no-create-home', '--shell', '/usr/sbin/nologin', 'postgres'], {
      stdio: 'pipe',
    });
  } catch (error) {
    return `there is no account "postgres", and it could not be created (${error instanceof Error ? error.message.trim() : error})`;
  }
  info('Created the system account "postgres", because PostgreSQL refuses to run as root.');
  return (
    readAccounts().find(({ name }) => name === 'postgres') ??
    'the account "postgres" was created but is not in /etc/passwd'
  );
}

function accountOf(uid: number): Account | string {
  return (
    readAccounts().find((account) => account.uid === uid) ??
    `no account with the id ${uid}, which owns the data, is in /etc/passwd`
  );
}

function describe(uid: number): string {
  const account = accountOf(uid);
  return typeof account === 'string' ? `the user with the id ${uid}` : `the user ${account.name}`;
}

/** passwd(5): name:password:uid:gid:… */
function readAccounts(): Account[] {
  return readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .map((line) => line.split(':'))
    .filter((fields) => fields.length >= 4)
    .map(([name = '', , uid, gid]) => ({ name, uid: Number(uid), gid: Number(gid) }));
}
