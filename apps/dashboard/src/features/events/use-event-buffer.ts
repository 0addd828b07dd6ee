import { useCallback, useEffect, useEffectEvent, useReducer, useState } from 'react';
import { useEventStream, useLiveEvents } from '../../lib/live-events/live-events.js';
import { type EventBuffer, emptyBuffer, hold, prepend, receive, release } from './event-buffer.js';
import { getEventsBefore, historyPageSize } from './get-events-before.js';

type Change = (buffer: EventBuffer) => EventBuffer;
export type EventLog = {
  buffer: EventBuffer;
  /** `complete`: the log begins with the first row. */
  history: { state: 'loading' | 'more' | 'complete' | 'failed'; error: unknown };
  loadOlder: () => void;
  setHeld: (isHeld: boolean) => void;
};

/** The buffer, fed by the stream and by history: history ends where the stream begins, so nothing is missing between them. */
export function useEventBuffer(database: string): EventLog {
  const stream = useEventStream();
  const [buffer, change] = useReducer((before: EventBuffer, next: Change) => next(before), emptyBuffer);
  const [history, setHistory] = useState<EventLog['history']>({ state: 'loading', error: null });
  useLiveEvents((events) => change((before) => receive(before, events)));

  const load = useCallback(
    async (before: number) => {
      setHistory({ state: 'loading', error: null });
      try {
        const older = await getEventsBefore(database, before);
        change((current) => prepend(current, older));
        setHistory({ state: older.length < historyPageSize ? 'complete' : 'more', error: null });
      } catch (error) {
        setHistory({ state: 'failed', error });
      }
    },
    [database],
  );
  const loadFirst = useEffectEvent(() => {
    if (stream) void load(stream.cursor() + 1);
  });
  useEffect(() => {
    loadFirst();
    // After a reset the numbers below mean something else: the rows start over.
    return stream?.onReset(() => {
      change(() => emptyBuffer);
      loadFirst();
    });
  }, [stream]);

  const loadOlder = () => {
    const oldest = buffer.rows[0]?.id ?? (stream ? stream.cursor() + 1 : null);
    if (oldest !== null) void load(oldest);
  };
  const setHeld = useCallback((isHeld: boolean) => change(isHeld ? hold : release), []);
  return { buffer, history, loadOlder, setHeld };
}
