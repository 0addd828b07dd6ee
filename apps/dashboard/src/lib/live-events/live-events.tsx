import type { AdminEvent } from '@tidewire/protocol/admin-api';
import {
  createContext,
  type ReactNode,
  useContext,
  useEffect,
  useEffectEvent,
  useState,
  useSyncExternalStore,
} from 'react';
import { apiPath } from '../api.js';
import { createEventStream, type EventStream } from './event-stream.js';
import type { StreamState } from './stream-state.js';

const LiveEvents = createContext<EventStream | null>(null);

type LiveEventsProviderProps = {
  database: string;
  /** The newest event when the page was opened; the stream begins behind it. */
  head: number;
  isSignedOut: () => Promise<boolean>;
  children: ReactNode;
};

/** Holds the one event stream of the database that is open. Give it a key per database. */
export function LiveEventsProvider({ database, head, isSignedOut, children }: LiveEventsProviderProps) {
  const [stream, setStream] = useState<EventStream | null>(null);
  const open = useEffectEvent(() =>
    createEventStream({
      since: head,
      isSignedOut,
      openSource: (since) => new EventSource(`${apiPath('databases', database, 'events', 'stream')}?since=${since}`),
    }),
  );
  useEffect(() => {
    const opened = open();
    setStream(opened);
    return () => opened.close();
  }, []);
  return <LiveEvents value={stream}>{children}</LiveEvents>;
}

/** The stream itself, null until it is opened. */
export function useEventStream(): EventStream | null {
  return useContext(LiveEvents);
}

/** Calls back with each batch of new events while the component is shown. */
export function useLiveEvents(onEvents: (events: readonly AdminEvent[]) => void): void {
  const stream = useEventStream();
  const handle = useEffectEvent(onEvents);
  useEffect(() => stream?.onEvents((events) => handle(events)), [stream]);
}

const connecting: StreamState = { status: 'connecting' };

/** How the line is right now. */
export function useStreamState(): StreamState {
  const stream = useEventStream();
  return useSyncExternalStore(
    (listener) => stream?.onStateChange(listener) ?? (() => undefined),
    () => stream?.getState() ?? connecting,
  );
}
