// Finds an nginx that runs, or gets one; and makes of deploy/nginx.conf a configuration for processes of this machine.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { installWithApt, onPath } from './system.mjs';
import { root, run } from './workspace.mjs';

/** Debian keeps it where the PATH of ordinary users does not look. */
const places = ['/usr/sbin/nginx', '/usr/local/sbin/nginx', '/opt/homebrew/bin/nginx'];

/** The path of an nginx that answers to `-v`: NGINX_PATH, else on this system, else (with `install`) from apt-get. Null when there is none. */
export async function findNginx({ install = false } = {}) {
  const wanted = process.env.NGINX_PATH;
  for (const path of [wanted, ...onPath(['nginx']), ...places]) if (path && (await isNginx(path))) return path;
  if (!install) return null;
  await installWithApt('nginx-light');
  return findNginx();
}

async function isNginx(path) {
  if (!existsSync(path)) return false;
  const { code, output } = await run([path, '-v'], { stdio: ['ignore', 'pipe', 'pipe'], timeout: 20_000 });
  return code === 0 && /nginx/i.test(output);
}

/**
 * The text of deploy/nginx.conf with these changes: it listens on `port` of the loopback address, keeps its files in `folder`, and
 * the services are groups of ports of this machine instead of names.
 */
export function localNginxConf({ folder, port, api, realtime }) {
  const group = (name, ports) =>
    `  upstream ${name} {\n${ports.map((one) => `    server 127.0.0.1:${one};\n`).join('')}  }\n`;
  const text = readFileSync(join(root, 'deploy', 'nginx.conf'), 'utf8')
    .replaceAll(/(\s)\/tmp\//g, `$1${folder}/`)
    .replace(/^worker_processes .*$/m, 'worker_processes 1;')
    .replace(/^worker_rlimit_nofile .*$/m, '')
    .replace(/^error_log .*$/m, `error_log ${folder}/nginx-error.log warn;`)
    .replace(/^ *access_log .*$/m, '  access_log off;')
    .replace(/^ *resolver .*$/m, `${group('api', api)}${group('realtime', realtime)}`)
    .replace(/listen 8080/, `listen 127.0.0.1:${port}`)
    .replaceAll('http://$tidewire:4000', 'http://$tidewire');
  const user = process.getuid?.() === 0 ? 'user root;\n' : '';
  return `${user}daemon off;\n${text}`;
}
