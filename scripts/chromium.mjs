// Finds a Chromium that runs, or gets one.
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { delimiter, join } from 'node:path';
import { root, run, say } from './workspace.mjs';

const names = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable', 'chrome'];
const places = [
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
  '/Applications/Chromium.app/Contents/MacOS/Chromium',
  'C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe',
];

/**
 * The path of a browser that answers to `--version`. Looked for in CHROMIUM_PATH, on this system and among Playwright's
 * downloads; else Playwright is asked to download one, and on Debian or Ubuntu apt-get (as root).
 * Null when there is none; what was tried is said.
 */
export async function findChromium() {
  const wanted = process.env.CHROMIUM_PATH;
  if (wanted) {
    if (await works(wanted)) return wanted;
    say(`CHROMIUM_PATH is ${wanted}, which does not run as a browser; looking for another one.`);
  }
  const found = await firstThatWorks([...onPath(), ...places, playwrightsOwn()]);
  if (found !== null) return found;
  return (await downloadWithPlaywright()) ?? (await installWithApt());
}

function onPath() {
  const folders = (process.env.PATH ?? '').split(delimiter);
  return names.flatMap((name) => folders.map((folder) => join(folder, name)));
}

async function firstThatWorks(candidates) {
  for (const candidate of candidates) if (candidate !== null && (await works(candidate))) return candidate;
  return null;
}

/** Ubuntu's `chromium-browser` may be a script that only says how to get a snap: so it is tried. */
async function works(path) {
  if (!existsSync(path)) return false;
  const { code, output } = await run([path, '--version'], { stdio: ['ignore', 'pipe', 'pipe'], timeout: 20_000 });
  return code === 0 && /chrom/i.test(output);
}

function resolveFromE2e(name) {
  try {
    return createRequire(join(root, 'e2e', 'package.json')).resolve(name);
  } catch {
    return null;
  }
}

function playwrightsOwn() {
  const entry = resolveFromE2e('playwright-core') ?? resolveFromE2e('@playwright/test');
  if (entry === null) return null;
  try {
    return createRequire(entry)('playwright-core').chromium.executablePath();
  } catch {
    return null;
  }
}

async function downloadWithPlaywright() {
  const manifest = resolveFromE2e('@playwright/test/package.json') ?? resolveFromE2e('playwright/package.json');
  if (manifest === null) return null;
  say('Getting Chromium (npx playwright install chromium) …');
  const { code, output } = await run([process.execPath, join(manifest, '..', 'cli.js'), 'install', 'chromium'], {
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: 300_000,
  });
  const own = playwrightsOwn();
  if (code === 0 && own !== null && (await works(own))) return own;
  say(`Playwright could not get Chromium: ${lastLine(output)}`);
  return null;
}

async function installWithApt() {
  if (process.getuid?.() !== 0 || !isDebian()) return null;
  say('Getting Chromium (apt-get install chromium) …');
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  const options = { stdio: ['ignore', 'pipe', 'pipe'], env, timeout: 600_000 };
  await run(['apt-get', 'update'], options);
  const { code, output } = await run(['apt-get', 'install', '-y', '--no-install-recommends', 'chromium'], options);
  const found = await firstThatWorks(onPath());
  if (found === null) say(`apt-get could not install Chromium${code === 0 ? '' : `: ${lastLine(output)}`}`);
  return found;
}

function isDebian() {
  return (
    existsSync('/etc/os-release') && /^ID(_LIKE)?=.*\b(debian|ubuntu)\b/m.test(readFileSync('/etc/os-release', 'utf8'))
  );
}

function lastLine(output) {
  return output.trim().split('\n').at(-1) ?? '';
}
