/** The command as a user starts it: `tidewire start` in a process of its own, on a folder of its own. */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const command = fileURLToPath(new URL('../apps/tidewire/bin/tidewire.js', import.meta.url));
const execute = promisify(execFile);

export type RunningServer = {
  /** Without a slash at the end. */
  readonly url: string;
  readonly dataDir: string;
  /** Everything that was printed so far, by all processes that ran on this folder. */
  output(): string;
  /** Runs `tidewire …` beside the server, as from a second terminal. Rejects when it fails. */
  tidewire(...args: string[]): Promise<string>;
  createKey(grants: {
    rest?: string[];
    listen?: string[];
    publish?: string[];
    origin?: string[];
  }): Promise<{ id: string; key: string }>;
  /** `kill -9`; Postgres goes on without its parent. */
  kill(): Promise<void>;
  /** Ctrl-C; resolves with the exit code. */
  interrupt(): Promise<number | null>;
  start(): Promise<void>;
  /** Ends it and removes the folder. */
  dispose(): Promise<void>;
};

/** Starts on a free port and resolves when it is ready. */
export async function startServer(env: Record<string, string> = {}): Promise<RunningServer> {
  const dataDir = await mkdtemp(join(tmpdir(), 'tidewire-e2e-'));
  const port = await freePort();
  const environment = { ...process.env, ...env, DATA_DIR: dataDir, PORT: String(port), NO_COLOR: '1' };
  let output = '';
  let child: ChildProcess;
  let exited: Promise<number | null>;

  async function start(): Promise<void> {
    const from = output.length;
    const started = spawn(process.execPath, [command, 'start'], {
      env: environment,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    child = started;
    exited = new Promise((resolve) => started.once('exit', resolve));
    const ready = new Promise<void>((resolve, reject) => {
      const read = (part: Buffer) => {
        output += part.toString();
        if (output.slice(from).includes('Ctrl-C stops it.')) resolve();
      };
      started.stdout.on('data', read);
      started.stderr.on('data', read);
      started.once('exit', (code) => reject(new Error(`the server ended with ${code}:\n${output.slice(from)}`)));
    });
    await ready;
  }

  async function tidewire(...args: string[]): Promise<string> {
    const { stdout } = await execute(process.execPath, [command, ...args], { env: environment });
    return stdout;
  }

  await start();
  return {
    url: `http://localhost:${port}`,
    dataDir,
    output: () => output,
    start,
    tidewire,
    async createKey({ rest = [], listen = [], publish = [], origin = [] }) {
      const lists = Object.entries({ rest, listen, publish, origin });
      const options = lists.flatMap(([name, grants]) => grants.flatMap((grant) => [`--${name}`, grant]));
      return JSON.parse(await tidewire('key', 'create', '--name', 'test', ...options, '--json'));
    },
    async kill() {
      child.kill('SIGKILL');
      await exited;
    },
    async interrupt() {
      child.kill('SIGINT');
      return exited;
    },
    async dispose() {
      if (child.exitCode === null && child.signalCode === null) {
        child.kill('SIGTERM');
        await exited;
      }
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** A web server of somebody else: it serves one page, so that its origin is not that of Tidewire. */
export async function servePage(html: string): Promise<{ url: string; close(): void }> {
  const server = createServer((_request, response) =>
    response.setHeader('Content-Type', 'text/html; charset=utf-8').end(html),
  );
  server.listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    close() {
      server.closeAllConnections();
      server.close();
    },
  };
}

/** True when something answers at the port of this URL. */
export async function isListening(url: string): Promise<boolean> {
  const { port } = new URL(url);
  return new Promise((resolve) => {
    const socket = connect(Number(port), '127.0.0.1');
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}
