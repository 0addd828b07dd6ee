// `npm start`: from a fresh clone to a running server. Flags go through, as in: npm start -- --port 4001
// The server is loaded into this very process, so there is nobody between it and the signals of the terminal.
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { build, checkNode, install, PlainError, root } from './workspace.mjs';

try {
  checkNode();
  await install();
  await build('@tidewire/tidewire');
} catch (error) {
  if (!(error instanceof PlainError)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exit(1);
}

// A shell may stand between npm and us, and a signal to npm then ends that shell and not us: without a parent we stop, too.
const parent = process.ppid;
if (process.env.npm_lifecycle_event !== undefined && process.platform !== 'win32') {
  setInterval(() => process.ppid !== parent && process.kill(process.pid, 'SIGTERM'), 500).unref();
}

const command = join(root, 'apps', 'tidewire', 'bin', 'tidewire.js');
process.argv = [process.execPath, command, 'start', ...process.argv.slice(2)];
await import(pathToFileURL(command).href);
