/** What a server and its realtime processes say to each other over the channel that Node gives them. */
import type { ChildProcess } from 'node:child_process';
import type { Socket } from 'node:net';
import type { TextChannel } from '@tidewire/change-log/ipc-change-bus';
import { logLevels } from '@tidewire/server-kit/logger';
import { z } from 'zod';
import { roles } from '../config.js';

/** In both directions; the change bus reads these itself. */
const hint = z.object({ kind: z.literal('hint'), text: z.string() });
const address = z.union([
  z.object({ connectionString: z.string() }),
  z.object({ host: z.string(), port: z.number(), user: z.string(), password: z.string(), database: z.string() }),
]);

/** From the server. The socket of a `stream` comes beside the message; `head` is the request's head, in Latin-1. */
export const toChildSchema = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('begin'),
    address,
    serverSecret: z.string(),
    role: z.enum(roles),
    trustProxy: z.number(),
    trustedIssuerHosts: z.array(z.string()),
    logLevel: z.enum(logLevels),
    /** Of each child for itself. */
    streamLimits: z.object({
      perKey: z.number(),
      perAddress: z.number(),
      total: z.number(),
      maxAgeSeconds: z.number(),
    }),
    requestBounds: z.object({ redisUrl: z.string().nullable(), attemptsPerAddress: z.number() }),
  }),
  z.object({ kind: z.literal('stream'), head: z.string() }),
  z.object({ kind: z.literal('drain'), withinMs: z.number() }),
]);
export type ToChild = z.infer<typeof toChildSchema>;
export type Begin = Extract<ToChild, { kind: 'begin' }>;

/** From a realtime process. `streams` are those that are open; `log` is a line of the log as JSON. */
export const toServerSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('ready') }),
  z.object({ kind: z.literal('streams'), streams: z.number() }),
  z.object({ kind: z.literal('log'), line: z.string() }),
]);
export type ToServer = z.infer<typeof toServerSchema>;

/** What both ends have of a channel: a child process on one side, `process` on the other. */
type End = {
  send?: (message: object, handle: undefined, options: undefined, sent: (error: Error | null) => void) => boolean;
  on(event: 'message', listener: (message: unknown) => void): unknown;
  removeListener(event: 'message', listener: (message: unknown) => void): unknown;
};

/** The hints among the messages, as the change bus wants them. A text for a process that is gone is lost. */
export function hintChannel(end: End): TextChannel {
  return {
    send(text, sent) {
      end.send?.({ kind: 'hint', text }, undefined, undefined, () => sent());
    },
    onText(listener) {
      const onMessage = (message: unknown) => {
        if (!isHint(message)) return;
        const parsed = hint.safeParse(message);
        if (parsed.success) listener(parsed.data.text);
      };
      end.on('message', onMessage);
      return () => end.removeListener('message', onMessage);
    },
  };
}

/** Whether the message is the change bus's. Most are, and nobody else reads these. */
export function isHint(message: unknown): boolean {
  return typeof message === 'object' && message !== null && 'kind' in message && message.kind === 'hint';
}

/** Sends a message that nobody waits for. */
export function tell(child: ChildProcess, message: ToChild): void {
  if (child.connected) child.send(message, () => undefined);
}

/** Sends a socket away: this process has it no longer. `done` is called once it is with the child, with an error when it is lost. */
export function sendSocket(
  child: ChildProcess,
  head: string,
  socket: Socket,
  done: (error: Error | null) => void,
): void {
  child.send({ kind: 'stream', head } satisfies ToChild, socket, { keepOpen: false }, done);
}
