/** A listening HTTP server: taking its port, and letting go of it without hurting a request. */
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';

/** The address cannot be listened on. The message is for the person at the terminal. */
export class ListenError extends Error {
  override readonly name = 'ListenError';
}

/**
 * Connections that may wait to be accepted. When a process dies, all its streams come to another one within a second or two; whoever finds the queue full is
 * dropped in silence and tries again after 1, 3, 7, 15 … s (seen with Node's 511 and 10,000 streams: some were away for over a minute). Linux takes at most `net.core.somaxconn`, 4096 by default.
 */
const BACKLOG = 65_535;

/** Listens, and resolves with the port (the one that was found when 0 was asked for). Rejects with `ListenError`. */
export function listen(server: Server, { host, port }: { host: string; port: number }): Promise<number> {
  return new Promise((resolve, reject) => {
    const fail = (cause: NodeJS.ErrnoException) => reject(new ListenError(explain(cause, host, port), { cause }));
    server.once('error', fail);
    server.listen({ host, port, backlog: BACKLOG }, () => {
      server.removeListener('error', fail);
      resolve((server.address() as AddressInfo).port);
    });
  });
}

function explain({ code, message }: NodeJS.ErrnoException, host: string, port: number): string {
  const choose = `choose another one with PORT or --port, as in --port ${port < 65_535 ? port + 1 : 4000}.`;
  switch (code) {
    case 'EADDRINUSE':
      return `Port ${port} on ${host} is taken by another program. Stop that one, or ${choose}`;
    case 'EACCES':
      return `Port ${port} may not be taken by this user. Please ${choose}`;
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
      return `${host} is not an address of this machine. Set HOST or --host to one that is, as in 127.0.0.1 or 0.0.0.0.`;
    default:
      return `Listening on port ${port} of ${host} failed: ${message}`;
  }
}

/**
 * Stops accepting, has the open streams ended, lets running requests finish, and after `limitMs` cuts what is left.
 * Resolves when no connection is open.
 */
export async function drainServer(
  server: Server,
  { endStreams, limitMs }: { endStreams: () => unknown; limitMs: number },
): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  await endStreams();
  server.closeIdleConnections();
  const abort = new AbortController();
  const isLate = await Promise.race([
    closed.then(() => false),
    delay(limitMs, true, { signal: abort.signal }).catch(() => false),
  ]);
  abort.abort();
  if (isLate) server.closeAllConnections();
  await closed;
}
