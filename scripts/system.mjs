// Programs of the system: where they are, and how to get them.
import { existsSync, readFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { run, say } from './workspace.mjs';

/** Every place on the PATH where one of these programs may be, in the order of the names. */
export function onPath(names) {
  const folders = (process.env.PATH ?? '').split(delimiter);
  return names.flatMap((name) => folders.map((folder) => join(folder, name)));
}

/** The first path whose `--version` says what is expected, or null. */
export async function firstThatWorks(candidates, expected) {
  for (const candidate of candidates) if (candidate !== null && (await works(candidate, expected))) return candidate;
  return null;
}

/** A file of the name alone proves nothing: Ubuntu's `chromium-browser` may be a script that only says how to get a snap. */
export async function works(path, expected) {
  if (!existsSync(path)) return false;
  const { code, output } = await run([path, '--version'], { stdio: ['ignore', 'pipe', 'pipe'], timeout: 20_000 });
  return code === 0 && expected.test(output);
}

/**
 * Installs a package of Debian or Ubuntu: as root, or on a CI machine by a sudo that asks for nothing. Does nothing elsewhere; on
 * somebody's own machine nothing is installed behind their back. What went wrong is said.
 */
export async function installWithApt(name) {
  if (!isDebian()) return;
  const sudo = process.getuid?.() === 0 ? [] : ['sudo', '-n'];
  if (sudo.length > 0 && (!process.env.CI || (await run(['sudo', '-n', 'true'], { stdio: 'ignore' })).code !== 0))
    return;
  say(`Getting ${name} (apt-get install ${name}) …`);
  const options = {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
    timeout: 600_000,
  };
  await run([...sudo, 'apt-get', 'update'], options);
  const { code, output } = await run([...sudo, 'apt-get', 'install', '-y', '--no-install-recommends', name], options);
  if (code !== 0) say(`apt-get could not install ${name}: ${lastLine(output)}`);
}

function isDebian() {
  return (
    existsSync('/etc/os-release') && /^ID(_LIKE)?=.*\b(debian|ubuntu)\b/m.test(readFileSync('/etc/os-release', 'utf8'))
  );
}

/** What a program said last: most often the reason. */
export function lastLine(output) {
  return output.trim().split('\n').at(-1) ?? '';
}
