import { classes } from '../../components/ui/classes.js';
import { useStreamState } from '../../lib/live-events/live-events.js';
import type { StreamState } from '../../lib/live-events/stream-state.js';

const words: Record<StreamState['status'], { label: string; explanation: string; colour: string }> = {
  connecting: { label: 'Connecting', explanation: 'The event stream is being opened', colour: 'text-put' },
  open: { label: 'Live', explanation: 'Events arrive as they are committed', colour: 'text-accent-text' },
  retrying: {
    label: 'Reconnecting',
    explanation: 'The line is down. What is missed now is caught up on afterwards',
    colour: 'text-put',
  },
  ended: { label: 'Ended', explanation: 'The session is over', colour: 'text-delete' },
};

/** Our sign as a lamp: the wave runs while the line is up, and the wire lies flat when it is down. */
export function ConnectionState() {
  const state = useStreamState();
  const { label, explanation, colour } = words[state.status];
  const isOpen = state.status === 'open';
  return (
    <span
      role="status"
      aria-label={`Event stream: ${label}`}
      title={explanation}
      className={classes('flex items-center gap-2 text-xs font-medium', colour)}
    >
      <svg width="28" height="14" viewBox="0 0 28 14" aria-hidden="true">
        {isOpen ? (
          <>
            <path
              d={wave}
              fill="none"
              stroke="currentColor"
              strokeWidth="1.6"
              strokeLinecap="round"
              className="opacity-30"
            />
            <path
              d={wave}
              fill="none"
              stroke="currentColor"
              strokeWidth="1.6"
              strokeLinecap="round"
              strokeDasharray="9 15"
              className="animate-wire"
            />
          </>
        ) : (
          <path
            d="M1 7H27"
            fill="none"
            stroke="currentColor"
            strokeWidth="1.6"
            strokeLinecap="round"
            strokeDasharray={state.status === 'ended' ? undefined : '3 4'}
          />
        )}
      </svg>
      {label}
      {state.status === 'retrying' && state.attempt > 1 ? (
        <span className="text-faint">try {state.attempt}</span>
      ) : null}
    </span>
  );
}

const wave = 'M1 9H6c3 0 3-6 6-6s3 8 6 8 3-4 5-4h4';
