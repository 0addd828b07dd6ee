import type { AdminSessions } from '@tidewire/access/admin-sessions';
import type { StreamHandle } from '@tidewire/delivery/hub';

/** An open stream of an admin; `handle` is there once the stream is. */
export type AdminStream = { handle: StreamHandle | null; readonly close: () => void };

export interface AdminStreams {
  /** Registers a stream; its `close` is to be called when the socket is gone. */
  begin(sessionId: string): AdminStream;
  close(): void;
}

/** Ends the streams of admins whose session is over: signed out, expired, or removed. Looks once a second while there are any. */
export function watchSessions(options: {
  sessions: Pick<AdminSessions, 'find'>;
  onError: (error: unknown) => void;
}): AdminStreams {
  const open = new Map<string, Set<AdminStream>>();
  let timer: NodeJS.Timeout | undefined;
  let isClosed = false;

  async function look(): Promise<void> {
    timer = undefined;
    for (const [sessionId, streams] of open) {
      try {
        if ((await options.sessions.find(sessionId)) !== null) continue;
        for (const { handle } of streams) handle?.end('expired', 'the session is over');
        open.delete(sessionId);
      } catch (error) {
        options.onError(error);
      }
    }
    schedule();
  }

  function schedule(): void {
    if (timer === undefined && !isClosed && open.size > 0) timer = setTimeout(look, 1_000);
  }

  function forget(sessionId: string, stream: AdminStream): void {
    const streams = open.get(sessionId);
    streams?.delete(stream);
    if (streams?.size === 0) open.delete(sessionId);
  }

  return {
    begin(sessionId) {
      const stream: AdminStream = { handle: null, close: () => forget(sessionId, stream) };
      open.set(sessionId, (open.get(sessionId) ?? new Set()).add(stream));
      schedule();
      return stream;
    },
    close() {
      isClosed = true;
      clearTimeout(timer);
    },
  };
}
