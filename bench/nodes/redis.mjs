/** A Redis of the run's own, to which everything can happen. */
import { connect } from 'node:net';
import { startProcess, waitFor } from '../kit/processes.mjs';
import { freePort } from '../kit/product.mjs';

/** @typedef {Awaited<ReturnType<typeof startRedis>>} Redis */

/** @param {string} path @param {string} folder */
export async function startRedis(path, folder) {
  const port = await freePort();
  const args = ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no', '--dir', folder];
  let running = await begin();

  async function begin() {
    const started = await startProcess('redis', path, args);
    await waitFor('Redis answers', () => command(port, 'PING').catch(() => null));
    return started;
  }

  return {
    url: `redis://127.0.0.1:${port}`,
    port,
    command: (text) => command(port, text),
    kill: () => running.stop({ signal: 'SIGKILL' }),
    async restart() {
      running = await begin();
    },
    pause: () => process.kill(running.pid, 'SIGSTOP'),
    resume: () => process.kill(running.pid, 'SIGCONT'),
    stop: () => running.stop(),
  };
}

/** The first line of the answer to a command in Redis's inline form. @returns {Promise<string>} */
function command(port, text) {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => socket.write(`${text}\r\n`));
    socket.setTimeout(2_000, () => socket.destroy(new Error('Redis does not answer')));
    socket.once('error', reject);
    socket.once('data', (answer) => {
      socket.destroy();
      resolve(String(answer).split('\r\n')[0]);
    });
  });
}

/** Publishes the same message again and again until it is stopped; says how often. */
export function flood(port, channel, message, perSecond) {
  const parts = ['PUBLISH', channel, message];
  const text = `*3\r\n${parts.map((part) => `$${Buffer.byteLength(part)}\r\n${part}\r\n`).join('')}`;
  const each = 10;
  const batch = Buffer.from(text.repeat(Math.max(1, Math.round((perSecond * each) / 1000))));
  const socket = connect(port, '127.0.0.1');
  let sent = 0;
  socket.on('error', () => undefined).on('data', () => undefined);
  const timer = setInterval(() => {
    if (socket.writableLength > 4 * 1024 * 1024) return;
    socket.write(batch);
    sent += batch.length / text.length;
  }, each);
  return () => {
    clearInterval(timer);
    socket.destroy();
    return sent;
  };
}
