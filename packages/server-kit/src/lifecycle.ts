/**
 * The end of a process, in order. What is started is deferred to be stopped; stopping goes backwards, one after the other, so
 * what was started last (the listening server) ends first and what was started first (Postgres) ends last.
 *
 * 1. Each deferred stop runs once, even when the end comes in the middle of the start.
 * 2. One that fails or takes too long is logged and does not keep the next from its turn.
 */
import { setTimeout as delay } from 'node:timers/promises';

export type LifecycleLog = {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
};

export interface Lifecycle {
  /** Says how to stop what was just started. After the end has begun it is stopped at once. Default limit 10 s. */
  defer(name: string, stop: () => unknown, options?: { limitMs?: number }): void;
  /** Stops everything; a second call gets the same promise. `clean` is false when a step failed or was given up. */
  stop(reason: string): Promise<{ clean: boolean }>;
  readonly isStopping: boolean;
}

type Step = { name: string; stop: () => unknown; limitMs: number };

export function createLifecycle(log: LifecycleLog): Lifecycle {
  const steps: Step[] = [];
  let stopping: Promise<{ clean: boolean }> | null = null;
  let isClean = true;

  async function drain(): Promise<{ clean: boolean }> {
    for (let step = steps.pop(); step !== undefined; step = steps.pop()) {
      if (!(await runStep(step, log))) isClean = false;
    }
    return { clean: isClean };
  }

  return {
    defer(name, stop, { limitMs = 10_000 } = {}) {
      steps.push({ name, stop, limitMs });
      if (stopping !== null) stopping = stopping.then(drain);
    },
    async stop(reason) {
      if (stopping === null) {
        if (steps.length > 0) log.info({ reason }, 'Stopping.');
        stopping = drain();
      }
      // A step that was deferred meanwhile has put a longer promise in its place.
      for (let seen: typeof stopping | null = null; seen !== stopping; ) {
        seen = stopping;
        await seen;
      }
      return { clean: isClean };
    },
    get isStopping() {
      return stopping !== null;
    },
  };
}

async function runStep({ name, stop, limitMs }: Step, log: LifecycleLog): Promise<boolean> {
  const abort = new AbortController();
  const limit = delay(limitMs, 'late' as const, { signal: abort.signal, ref: true });
  try {
    const outcome = await Promise.race([Promise.resolve().then(stop), limit]);
    if (outcome !== 'late') return true;
    log.warn({ step: name }, `Stopping ${name} took more than ${limitMs / 1000} s and was given up.`);
  } catch (error) {
    log.error({ step: name, err: error }, `Stopping ${name} failed.`);
  } finally {
    abort.abort();
    limit.catch(() => undefined);
  }
  return false;
}

/** What of `process` is needed to hear signals. */
export type SignalSource = {
  on(signal: NodeJS.Signals, listener: (signal: NodeJS.Signals) => void): unknown;
  removeListener(signal: NodeJS.Signals, listener: (signal: NodeJS.Signals) => void): unknown;
};

/** A terminal and npm both pass Ctrl-C on, so one key press may come as two signals; later ones are meant. */
const echoMs = 1_000;

/**
 * SIGINT, SIGTERM and SIGHUP stop the lifecycle and then exit: with 0 when everything ended cleanly, else 1. Another signal
 * after more than a second exits at once with 130. Returns the way to stop listening.
 */
export function exitOnSignals(
  source: SignalSource,
  lifecycle: Lifecycle,
  { exit, log, now = Date.now }: { exit: (code: number) => void; log: LifecycleLog; now?: () => number },
): () => void {
  let firstAt: number | null = null;
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
  const listener = (signal: NodeJS.Signals) => {
    if (firstAt === null) {
      firstAt = now();
      void lifecycle.stop(signal).then(({ clean }) => exit(clean ? 0 : 1));
    } else if (now() - firstAt > echoMs) {
      log.warn({ signal }, 'Second signal: leaving at once.');
      exit(130);
    }
  };
  for (const signal of signals) source.on(signal, listener);
  return () => {
    for (const signal of signals) source.removeListener(signal, listener);
  };
}
