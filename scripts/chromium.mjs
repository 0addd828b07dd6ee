// Finds a Chromium that runs, or gets one.
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { firstThatWorks, installWithApt, lastLine, onPath, works } from './system.mjs';
import { root, run, say } from './workspace.mjs';

const names = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable', 'chrome'];
const expected = /chrom/i;
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
    if (await works(wanted, expected)) return wanted;
    say(`CHROMIUM_PATH is ${wanted}, which does not run as a browser; looking for another one.`);
  }
  const found = await firstThatWorks([...onPath(names), ...places, playwrightsOwn()], expected);
  if (found !== null) return found;
  const downloaded = await downloadWithPlaywright();
  if (downloaded !== null) return downloaded;
  await installWithApt('chromium');
  return firstThatWorks(onPath(names), expected);
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
  if (code === 0 && own !== null && (await works(own, expected))) return own;
  say(`Playwright could not get Chromium: ${lastLine(output)}`);
  return null;
}
