/** A Redis (or Valkey) of one test file, on a free port of this machine; it keeps nothing on disk. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import net, { type AddressInfo } from 'node:net';
import { delimiter, join } from 'node:path';
import { eventually } from './eventually.js';

export type TestRedis = {
  url: string;
  port: number;
  /** `kill -9`. */
  kill(): Promise<void>;
  /** Starts it again on the same port, empty. */
  restart(): Promise<void>;
  /** SIGSTOP and SIGCONT: it holds its connections and answers nothing. */
  pause(): void;
  resume(): void;
  /** Sends one command in Redis's inline form and gives the first line of the answer. */
  command(text: string): Promise<string>;
  /** The same, with all of the answer as Redis wrote it; for answers that come in one piece. */
  answerTo(text: string): Promise<string>;
};

/** Starts it, with more arguments if wanted. The caller kills it. Throws a sentence that says how to get one when there is none. */
export async function startTestRedis(more: readonly string[] = []): Promise<TestRedis> {
  const server = findServer();
  const port = await freePort();
  let child: ChildProcess;

  async function start(): Promise<void> {
    const args = ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no', ...more];
    child = spawn(server, args, { stdio: 'ignore' });
    await eventually(async () => {
      if ((await command('PING')) !== '+PONG') throw new Error('no PONG');
    });
  }

  async function answerTo(text: string): Promise<string> {
    const socket = net.connect(port, '127.0.0.1');
    try {
      await once(socket, 'connect');
      socket.write(`${text}\r\n`);
      const [answer] = await once(socket, 'data', { signal: AbortSignal.timeout(2_000) });
      return String(answer);
    } finally {
      socket.destroy();
    }
  }

  async function command(text: string): Promise<string> {
    return (await answerTo(text)).split('\r\n')[0] ?? '';
  }

  await start();
  return {
    url: `redis://127.0.0.1:${port}`,
    port,
    command,
    answerTo,
    restart: start,
    pause: () => void child.kill('SIGSTOP'),
    resume: () => void child.kill('SIGCONT'),
    async kill() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const gone = once(child, 'exit');
      child.kill('SIGKILL');
      await gone;
    },
  };
}

function findServer(): string {
  const wanted = process.env.REDIS_SERVER_PATH;
  if (wanted) return wanted;
  const folders = (process.env.PATH ?? '').split(delimiter);
  const found = ['redis-server', 'valkey-server']
    .flatMap((name) => folders.map((folder) => join(folder, name)))
    .find((path) => existsSync(path));
  if (found !== undefined) return found;
  throw new Error(
    'No redis-server or valkey-server was found. Install one (apt-get install redis-server) or set REDIS_SERVER_PATH.',
  );
}

/** A port of this machine that is free just now. */
export async function freePort(): Promise<number> {
  const server = net.createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
