/** Runs a TypeScript file of the workspace in a Node process of its own, on the sources, for tests that kill processes. */
import { type ChildProcess, type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createRequire } from 'node:module';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { pathToFileURL } from 'node:url';

const loader = `
  import { runnerImport } from ${JSON.stringify(pathToFileURL(createRequire(import.meta.url).resolve('vite')).href)};
  const conditions = ['tidewire-source', 'node'];
  Object.assign(process.env, JSON.parse(process.argv.pop()));
  await runnerImport(process.argv[1], {
    configFile: false, logLevel: 'silent', environments: { inline: { resolve: { conditions, externalConditions: conditions } } },
  });
`;

export type SourceProcess = {
  child: ChildProcessByStdio<Writable, Readable, null>;
  /** The next line of its output. Rejects when the process ends first. */
  line(): Promise<string>;
  /** The same, parsed as JSON. */
  next<T>(): Promise<T>;
  /** Resolves with the exit code, or the name of the signal. */
  ended: Promise<number | NodeJS.Signals>;
  kill(signal: NodeJS.Signals): void;
};

/** The same with a channel for messages and sockets, as `fork` with the serialization `advanced` makes it. The caller ends it. */
export function forkSource(file: string): ChildProcess {
  return spawn(process.execPath, ['--input-type=module', '-e', loader, file, '{}'], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    serialization: 'advanced',
  });
}

/** `args` are `process.argv.slice(2)` of the program. `env` is added to ours. Its error output goes to ours. The caller ends it. */
export function spawnSource(file: string, args: string[], env: Record<string, string> = {}): SourceProcess {
  const child = spawn(process.execPath, ['--input-type=module', '-e', loader, file, ...args, JSON.stringify(env)], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const ended = once(child, 'exit').then(([code, signal]) => (code ?? signal) as number | NodeJS.Signals);
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  async function line(): Promise<string> {
    const { value, done } = await lines.next();
    if (done) throw new Error(`the process ended (${await ended})`);
    return value;
  }
  return {
    child,
    ended,
    line,
    next: async <T>() => JSON.parse(await line()) as T,
    kill: (signal) => child.kill(signal),
  };
}
