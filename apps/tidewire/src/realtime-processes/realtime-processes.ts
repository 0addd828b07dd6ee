/**
 * Child processes that carry the streams of a server, so that a burst to many streams takes no time from its commits. The server accepts
 * every connection; one that asks for a stream is given to a child together with the request's head, and is the child's from then on.
 *
 * 1. A stream goes to the child with the fewest. While none is ready, it waits some seconds, and is then answered by the server itself.
 * 2. A child that ends is replaced. Its streams are cut; their clients come back with their cursors.
 * 3. Whatever becomes of a child, no connection stays open without anybody who serves it.
 */
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import type { ChangeBus } from '@tidewire/change-log/change-bus';
import { connectChangeBus } from '@tidewire/change-log/ipc-change-bus';
import type { Logger } from '@tidewire/server-kit/logger';
import { type Begin, hintChannel, isHint, sendSocket, tell, toServerSchema } from './messages.js';
import { headOf, isStreamRequest } from './request-head.js';

/** `streams` are those of all children. */
export type RealtimeProcessesStatus = { wanted: number; ready: number; streams: number };

export type RealtimeProcesses = {
  /** Gives a stream's request to a child; every other one, and those that no child can have, to `serveHere`. */
  take(request: IncomingMessage, response: ServerResponse, serveHere: () => void): void;
  status(): RealtimeProcessesStatus;
  /** Resolves when all are ready, or some seconds have passed. */
  started(): Promise<void>;
  /** Ends all streams within this time, and then the children. */
  drain(withinMs: number): Promise<void>;
};

export type RealtimeProcessesOptions = {
  count: number;
  /** Starts `realtime-main.ts` in a process of its own, with a channel of the serialization `advanced`. */
  fork: () => ChildProcess;
  begin: Omit<Begin, 'kind'>;
  /** Of the server. */
  bus: ChangeBus;
  logger: Logger;
  /** How long a stream waits for a child, and a start for all of them. Default 8,000. */
  patienceMs?: number;
};

/** Until a child that ended soon after its start is replaced; doubled each time. */
const firstPauseMs = 100;
const longestPauseMs = 10_000;
const soonMs = 30_000;
/** What a child may take beyond the time for its streams. */
const endMs = 10_000;

type Child = { name: string; process: ChildProcess; isReady: boolean; streams: number; given: Set<Socket> };
type Waiting = { request: IncomingMessage; response: ServerResponse; serveHere: () => void; timer: NodeJS.Timeout };

/** Starts the children at once. */
export function createRealtimeProcesses(options: RealtimeProcessesOptions): RealtimeProcesses {
  const { count, bus, logger, patienceMs = 8_000 } = options;
  const children = new Set<Child>();
  /** Streams that were just asked for; one that is followed by another request on its connection is taken out again. */
  const justAsked = new Set<Socket>();
  const waiting = new Set<Waiting>();
  const restarts = new Set<NodeJS.Timeout>();
  let isDraining = false;
  let noteChange = () => {};

  function startChild(name: string, pauseMs: number): void {
    if (isDraining) return;
    const startedAt = performance.now();
    const child: Child = { name, process: options.fork(), isReady: false, streams: 0, given: new Set() };
    children.add(child);
    const channel = hintChannel(child.process);
    const onError = (error: unknown) => logger.warn({ err: error, process: name }, 'The channel to a process failed.');
    const disconnect = connectChangeBus(bus, { channel, onError });
    child.process.on('message', (message) => read(child, message));
    child.process.on('error', onError);
    child.process.once('exit', (code, signal) => {
      disconnect();
      children.delete(child);
      for (const socket of child.given) socket.destroy();
      noteChange();
      if (isDraining) return;
      const nextPauseMs = performance.now() - startedAt > soonMs ? 0 : pauseMs;
      logger.error(
        { process: name, code, signal },
        'A realtime process ended; its streams are cut, and another one is started.',
      );
      const timer = setTimeout(() => {
        restarts.delete(timer);
        startChild(name, Math.min(longestPauseMs, Math.max(firstPauseMs, 2 * nextPauseMs)));
      }, nextPauseMs);
      restarts.add(timer);
    });
    tell(child.process, { kind: 'begin', ...options.begin });
  }

  function read(child: Child, message: unknown): void {
    if (isHint(message)) return;
    const parsed = toServerSchema.safeParse(message);
    if (!parsed.success) return;
    const { data } = parsed;
    switch (data.kind) {
      case 'ready':
        child.isReady = true;
        for (const one of waiting) giveOrServe(one);
        noteChange();
        return;
      case 'streams':
        child.streams = data.streams + child.given.size;
        return;
      case 'log':
        relayLog(logger, child.name, data.line);
        return;
    }
  }

  function leastBusy(): Child | undefined {
    let best: Child | undefined;
    for (const child of children)
      if (child.isReady && child.process.connected && (best === undefined || child.streams < best.streams))
        best = child;
    return best;
  }

  function give(child: Child, request: IncomingMessage): void {
    const { socket } = request;
    if (socket.destroyed) return;
    child.streams += 1;
    child.given.add(socket);
    sendSocket(child.process, headOf(request), socket, (error) => {
      child.given.delete(socket);
      if (error !== null) socket.destroy();
    });
  }

  function giveOrServe(one: Waiting): void {
    clearTimeout(one.timer);
    waiting.delete(one);
    const child = isDraining ? undefined : leastBusy();
    if (child === undefined) one.serveHere();
    else give(child, one.request);
  }

  function giveOrWait(request: IncomingMessage, response: ServerResponse, serveHere: () => void): void {
    const child = leastBusy();
    if (child !== undefined) {
      give(child, request);
      return;
    }
    const one: Waiting = { request, response, serveHere, timer: setTimeout(() => giveOrServe(one), patienceMs) };
    waiting.add(one);
  }

  const status = () => {
    let ready = 0;
    let streams = 0;
    for (const child of children) {
      if (child.isReady) ready += 1;
      streams += child.streams;
    }
    return { wanted: count, ready, streams };
  };

  for (let index = 1; index <= count; index += 1) startChild(`realtime ${index}`, 0);

  return {
    take(request, response, serveHere) {
      const { socket } = request;
      justAsked.delete(socket);
      if (isDraining || !isStreamRequest(request, response)) return serveHere();
      // Not within the parser's own callback; and what it still holds may be another request, which has to be answered in its turn.
      justAsked.add(socket);
      process.nextTick(() => {
        if (justAsked.delete(socket)) giveOrWait(request, response, serveHere);
        else serveHere();
      });
    },
    status,
    async started() {
      const changed = new Promise<void>((resolve) => {
        noteChange = () => {
          if (status().ready === count) resolve();
        };
        noteChange();
      });
      const abort = new AbortController();
      await Promise.race([changed, delay(patienceMs, undefined, { signal: abort.signal }).catch(() => undefined)]);
      abort.abort();
    },
    async drain(withinMs) {
      isDraining = true;
      for (const timer of restarts) clearTimeout(timer);
      for (const one of waiting) giveOrServe(one);
      await Promise.all([...children].map(({ process }) => endChild(process, withinMs)));
    },
  };
}

async function endChild(child: ChildProcess, withinMs: number): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, 'exit');
  tell(child, { kind: 'drain', withinMs });
  const timer = setTimeout(() => child.kill('SIGKILL'), withinMs + endMs);
  await gone;
  clearTimeout(timer);
}

/** A line of the child's log becomes one of ours, with the name of the process. */
function relayLog(logger: Logger, name: string, line: string): void {
  const { time: _time, level, msg, ...fields } = JSON.parse(line) as Record<string, unknown>;
  const write = { trace: 'trace', debug: 'debug', info: 'info', warn: 'warn', error: 'error', fatal: 'fatal' } as const;
  logger[write[level as keyof typeof write] ?? 'info']({ ...fields, process: name }, String(msg ?? ''));
}
