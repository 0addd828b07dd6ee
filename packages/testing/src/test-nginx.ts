/** An nginx of one test file, with a configuration of the test's own. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { eventually } from './eventually.js';
import { freePort } from './test-redis.js';

export type TestNginx = {
  /** Of each `server` of the configuration, without a slash at the end. */
  urls: readonly string[];
  stop(): Promise<void>;
};

/**
 * Starts it with these `server` blocks, each of which listens on a port of its own; everything else is as nginx has it by default.
 * The caller stops it. Throws a sentence that says how to get one when there is none.
 */
export async function startTestNginx(servers: readonly string[]): Promise<TestNginx> {
  const program = findNginx();
  const folder = mkdtempSync(join(tmpdir(), 'tidewire-nginx-'));
  const ports: number[] = [];
  for (const _ of servers) ports.push(await freePort());
  const blocks = servers.map((block, index) => `server { listen 127.0.0.1:${ports[index]}; ${block} }`);
  const paths = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    (name) => `${name}_temp_path ${folder}/${name};`,
  );
  // Workers of a root's nginx run as nobody, who may not enter the folder.
  const user = process.getuid?.() === 0 ? 'user root;' : '';
  const file = join(folder, 'nginx.conf');
  writeFileSync(
    file,
    `${user} daemon off; pid ${folder}/nginx.pid; error_log ${folder}/error.log; events {}
     http { access_log off; ${paths.join(' ')} ${blocks.join('\n')} }`,
  );
  const child: ChildProcess = spawn(program, ['-p', folder, '-e', join(folder, 'error.log'), '-c', file], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  await eventually(() => Promise.all(ports.map(accepts)), { timeoutMs: 20_000 });
  return {
    urls: ports.map((port) => `http://127.0.0.1:${port}`),
    async stop() {
      const gone = once(child, 'exit');
      if (child.exitCode === null && child.kill('SIGTERM')) await gone;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function accepts(port: number): Promise<void> {
  const socket = net.connect(port, '127.0.0.1');
  try {
    await once(socket, 'connect');
  } finally {
    socket.destroy();
  }
}

function findNginx(): string {
  const folders = [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/usr/local/sbin', '/opt/homebrew/bin'];
  const candidates = [process.env.NGINX_PATH, ...folders.map((folder) => join(folder, 'nginx'))];
  const found = candidates.find((path) => path !== undefined && path !== '' && existsSync(path));
  if (found !== undefined) return found;
  throw new Error('No nginx was found. Install one (apt-get install nginx-light) or set NGINX_PATH.');
}
