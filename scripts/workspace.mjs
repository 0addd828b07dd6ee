// What `npm start` and `npm test` share: the right Node, installed packages, built workspaces. Node's own modules only.
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('..', import.meta.url));
const stampFile = join(root, 'node_modules', '.tidewire', 'build.json');

/** An expected failure: its message is for the person at the terminal, without a stack. */
export class PlainError extends Error {}

/** Ends with a sentence when Node is older than what the packages need. */
export function checkNode() {
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major > 20 || (major === 20 && minor >= 19)) return;
  throw new PlainError(
    `Tidewire needs Node.js 20.19 or newer, and this is ${process.versions.node}. Get a newer one from https://nodejs.org and try again.`,
  );
}

/** Installs packages when node_modules is missing or is not what package-lock.json says. */
export async function install() {
  if (isInstalled()) return;
  const isFirst = !existsSync(join(root, 'node_modules'));
  say(
    isFirst
      ? 'Installing packages (only the first time; about a minute) …'
      : 'Installing packages, because package-lock.json has changed …',
  );
  const options = [
    '--include=dev',
    '--include=optional',
    '--ignore-scripts',
    '--no-audit',
    '--no-fund',
    '--loglevel=error',
  ];
  // `npm ci` starts by removing node_modules, which is a waste when only a few packages have changed.
  const commands = isFirst ? ['ci', 'install'] : ['install'];
  for (const command of commands) {
    const { code } = await run(npm([command, ...options]), { stdio: ['ignore', 'inherit', 'inherit'] });
    if (code === 0 && isInstalled()) return;
  }
  throw new PlainError('The packages could not be installed; the lines above say why. Try: npm install');
}

/** Compares package-lock.json with the list that npm keeps of what it has installed. */
function isInstalled() {
  const installed = readJson(join(root, 'node_modules', '.package-lock.json'));
  const wanted = readJson(join(root, 'package-lock.json'));
  if (installed === null || wanted === null) return false;
  return Object.entries(wanted.packages).every(([path, { version, link, optional, peer }]) => {
    if (!path.startsWith('node_modules/') && !path.includes('/node_modules/')) return true;
    const present = installed.packages[path];
    if (present === undefined) return optional === true || peer === true;
    return link === true ? present.link === true : present.version === version;
  });
}

/**
 * Builds everything that `filter` (a workspace) needs, or all workspaces. Nothing is run when neither a source nor an output has
 * changed since the last build of this kind; contents are compared, so no edit and no checkout goes unseen.
 */
export async function build(filter) {
  const kind = filter ?? 'all';
  const sources = fingerprintSources();
  const stamps = readJson(stampFile) ?? {};
  const isFresh = (stamp) => stamp !== undefined && stamp.sources === sources && stamp.outputs === fingerprintOutputs();
  if (isFresh(stamps[kind]) || isFresh(stamps.all)) return;
  say('Building …');
  const turbo = join(root, 'node_modules', 'turbo', 'bin', 'turbo');
  const scope = filter === undefined ? [] : [`--filter=${filter}...`];
  const { code, output } = await run(
    [process.execPath, turbo, 'run', 'build', ...scope, '--output-logs=errors-only', '--ui=stream'],
    {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, TURBO_TELEMETRY_DISABLED: '1', TURBO_NO_UPDATE_NOTIFIER: '1', DO_NOT_TRACK: '1' },
    },
  );
  if (code !== 0) {
    process.stderr.write(output);
    throw new PlainError('The build failed; the lines above say why.');
  }
  mkdirSync(join(stampFile, '..'), { recursive: true });
  writeFileSync(stampFile, JSON.stringify({ [kind]: { sources, outputs: fingerprintOutputs() } }));
}

const notSources = new Set(['node_modules', 'dist', '.turbo', 'generated']);

function fingerprintSources() {
  const hash = createHash('sha256').update(process.version);
  const files = ['package.json', 'package-lock.json', 'turbo.json', 'tsconfig.base.json'].map((name) =>
    join(root, name),
  );
  for (const folder of ['packages', 'apps', 'prisma'])
    files.push(...walk(join(root, folder), (name) => !notSources.has(name)));
  for (const file of files)
    if (existsSync(file)) hash.update(file).update('\0').update(readFileSync(file)).update('\0');
  return hash.digest('hex');
}

/** Names, sizes and times of what was built: any other build, and any file that is lost, shows. */
function fingerprintOutputs() {
  const hash = createHash('sha256');
  for (const workspace of workspaces()) {
    for (const folder of [join(workspace, 'dist'), join(workspace, 'src', 'generated')]) {
      for (const file of walk(folder, () => true)) {
        const { size, mtimeMs } = statSync(file);
        hash.update(`${file}\0${size}\0${mtimeMs}\0`);
      }
    }
  }
  return hash.digest('hex');
}

function workspaces() {
  return ['packages', 'apps'].flatMap((folder) =>
    list(join(root, folder)).map((entry) => join(root, folder, entry.name)),
  );
}

function walk(folder, isWanted) {
  return list(folder).flatMap((entry) => {
    if (!isWanted(entry.name)) return [];
    const path = join(folder, entry.name);
    return entry.isDirectory() ? walk(path, isWanted) : [path];
  });
}

function list(folder) {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** The command line of npm: the one that runs us, else the one of the PATH. */
export function npm(args) {
  const cli = process.env.npm_execpath;
  if (cli?.endsWith('.js')) return [process.execPath, cli, ...args];
  return [process.platform === 'win32' ? 'npm.cmd' : 'npm', ...args];
}

/** Runs to the end. `output` holds what went to pipes. `onSpawn` is handed the child. */
export function run([command, ...args], { onSpawn, ...options } = {}) {
  return new Promise((resolve) => {
    const child = spawn(command, args, { cwd: root, shell: command.endsWith('.cmd'), ...options });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) stream?.on('data', (chunk) => (output += chunk));
    child.once('error', (error) => resolve({ code: 127, output: `${output}${error.message}\n` }));
    child.once('close', (code, signal) => resolve({ code: code ?? 1, signal, output }));
    onSpawn?.(child);
  });
}

export function readJson(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    return null;
  }
}

/** Progress goes to stderr, so that the output of what is run stays its own. */
export function say(line) {
  process.stderr.write(`${line}\n`);
}
