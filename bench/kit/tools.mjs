/** Programs of other people that the benchmark runs: found, or said to be missing together with how to get them. */
import { accessSync, constants, existsSync, readdirSync } from 'node:fs';
import { delimiter, join } from 'node:path';

/** @typedef {{ path: string } | { missing: string }} Found */

const packages = {
  wrk: 'wrk',
  pgbench: 'postgresql-contrib',
  nginx: 'nginx-light libnginx-mod-nchan',
  'redis-server': 'redis-server',
  cc: 'gcc libc6-dev',
};
const modulePlaces = ['/usr/lib/nginx/modules', '/usr/lib64/nginx/modules', '/usr/share/nginx/modules'];

/**
 * @param {keyof typeof packages} name
 * @returns {Found}
 */
export function findTool(name) {
  const folders = [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/usr/local/sbin', ...postgresFolders()];
  const path = folders.map((folder) => join(folder, name)).find(isExecutable);
  return path === undefined ? { missing: `${name} is not installed: apt-get install ${packages[name]}` } : { path };
}

/** nginx and the module with Nchan. @returns {{ nginx: string, module: string } | { missing: string }} */
export function findNchan() {
  const nginx = findTool('nginx');
  if ('missing' in nginx) return nginx;
  const module = modulePlaces.map((folder) => join(folder, 'ngx_nchan_module.so')).find((path) => existsSync(path));
  if (module === undefined) return { missing: `Nchan is not installed: apt-get install ${packages.nginx}` };
  return { nginx: nginx.path, module };
}

/** Debian keeps the programs of each version in a folder that is not in the PATH; the newest first. */
function postgresFolders() {
  const base = '/usr/lib/postgresql';
  if (!existsSync(base)) return [];
  const versions = readdirSync(base).sort((a, b) => Number(b) - Number(a));
  return versions.map((version) => join(base, version, 'bin'));
}

function isExecutable(path) {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
