/**
 * What `npm run bench` and `npm run chaos` need first: the packages installed and built, as `npm start` does it. With `--peers` instead: the packages of
 * others that the benchmark is compared with, in `peers/node` and `peers/parse-server`, in the versions of their lock files.
 */
import { fileURLToPath } from 'node:url';
import { build, checkNode, install, PlainError } from '../scripts/workspace.mjs';
import { runToEnd } from './kit/processes.mjs';

try {
  checkNode();
  if (process.argv.includes('--peers')) await installPeers();
  else {
    await install();
    await build('@tidewire/tidewire');
  }
} catch (error) {
  if (!(error instanceof PlainError)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exit(1);
}

/** Without the packages' own scripts: nothing of what is used needs them. */
async function installPeers() {
  process.stderr.write('Installing the peers (about 320 MiB) …\n');
  for (const name of ['node', 'parse-server']) {
    const cwd = fileURLToPath(new URL(`peers/${name}/`, import.meta.url));
    await runToEnd('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund'], { cwd });
  }
  process.stderr.write('Done.\n');
}
