/** Nchan: the publish/subscribe module of nginx, in C. One worker, messages in memory (nothing is durable). */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { processTree } from '../kit/proc.mjs';
import { startProcess, waitFor } from '../kit/processes.mjs';
import { freePort, makeFolder } from '../kit/product.mjs';

const configuration = ({ folder, port, module }) => `
load_module ${module};
daemon off;
pid ${folder}/nginx.pid;
error_log ${folder}/error.log warn;
worker_processes 1;
worker_rlimit_nofile 20000;
events { worker_connections 16000; }
http {
  access_log off;
  tcp_nodelay on;
  keepalive_requests 1000000000;
  client_body_temp_path ${folder}/body;
  proxy_temp_path ${folder}/proxy;
  fastcgi_temp_path ${folder}/fastcgi;
  uwsgi_temp_path ${folder}/uwsgi;
  scgi_temp_path ${folder}/scgi;
  nchan_shared_memory_size 512M;
  server {
    listen 127.0.0.1:${port} backlog=4096;
    location = /sub {
      nchan_subscriber eventsource;
      nchan_channel_id bench;
      nchan_subscriber_first_message newest;
    }
    location = /pub {
      nchan_publisher;
      nchan_channel_id bench;
      nchan_message_buffer_length 10000;
      nchan_message_timeout 10m;
    }
  }
}
`;

/**
 * @param {{ nginx: string, module: string }} programs
 * @returns {Promise<{ port: number, pid: number, workers: () => number[], stop: () => Promise<void> }>}
 */
export async function startNchan({ nginx, module }) {
  const folder = makeFolder('nchan');
  const port = await freePort();
  const file = join(folder.path, 'nginx.conf');
  for (const name of ['logs', 'body']) mkdirSync(join(folder.path, name));
  writeFileSync(file, configuration({ folder: folder.path, port, module }));
  const running = await startProcess('nginx', nginx, ['-p', folder.path, '-c', file]);
  const answers = async () => (await fetch(`http://127.0.0.1:${port}/pub`).catch(() => null)) !== null;
  try {
    await waitFor('Nchan answers', answers, { timeoutMs: 10_000 });
  } catch (cause) {
    await running.stop();
    throw new Error(`Nchan did not start: ${running.output()}`, { cause });
  }
  return {
    port,
    pid: running.pid,
    workers: () => processTree(running.pid).slice(1),
    async stop() {
      await running.stop();
      folder.remove();
    },
  };
}
