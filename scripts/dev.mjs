// `npm run dev`: builds what changes, restarts the server on it, and serves the dashboard with hot reload on http://localhost:5173.
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { build, checkNode, install, npm, root, say } from './workspace.mjs';

checkNode();
await install();
await build();

const env = { ...process.env, TURBO_TELEMETRY_DISABLED: '1' };
const turbo = join(root, 'node_modules', 'turbo', 'bin', 'turbo');
const command = join(root, 'apps', 'tidewire', 'bin', 'tidewire.js');
const children = [
  [
    process.execPath,
    turbo,
    'watch',
    'build',
    '--filter=!@tidewire/dashboard',
    '--output-logs=errors-only',
    '--ui=stream',
  ],
  [process.execPath, '--watch', '--watch-preserve-output', command, 'start', ...process.argv.slice(2)],
  npm(['run', 'dev', '-w', 'apps/dashboard']),
].map(([program, ...args]) => spawn(program, args, { cwd: root, env, stdio: 'inherit' }));

for (const child of children) {
  child.once('exit', (code) => {
    if (code !== null && code !== 0) say(`A part of npm run dev ended with code ${code}; stopping the others.`);
    for (const other of children) other.kill('SIGTERM');
  });
}
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => undefined);
