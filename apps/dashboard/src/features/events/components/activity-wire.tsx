import type { AdminEvent } from '@tidewire/protocol/admin-api';
import { formatAmount } from '../../../lib/format.js';
import { useNow } from '../../../lib/use-now.js';
import { activitySeconds, countPerSecond, wirePath } from '../activity.js';

const width = 600;
const height = 44;

/** The last minute as a wire: flat when nothing happens, a wave for each second in which something did. */
export function ActivityWire({ events, isComplete }: { events: readonly AdminEvent[]; isComplete: boolean }) {
  const now = useNow(1000);
  const counts = countPerSecond(events, now);
  const [oldest] = events;
  // What was loaded may begin within the minute; then there was more.
  const isCut = !isComplete && oldest !== undefined && Date.parse(oldest.at) > now - activitySeconds * 1000;
  const sum = counts.reduce((total, count) => total + count, 0);
  const path = wirePath(counts, width, height);
  return (
    <figure className="flex min-w-0 flex-1 flex-col gap-1.5">
      <svg
        viewBox={`0 -3 ${width} ${height + 6}`}
        preserveAspectRatio="none"
        className="h-14 w-full"
        aria-hidden="true"
      >
        <path d={`${path}V${height + 3}H0Z`} className="fill-accent-soft" />
        <path
          d={path}
          fill="none"
          strokeWidth="1.75"
          vectorEffect="non-scaling-stroke"
          strokeLinejoin="round"
          className="stroke-accent"
        />
      </svg>
      <figcaption className="flex justify-between text-xs text-faint">
        <span>a minute ago</span>
        <span className="text-muted">
          {isCut ? 'At least ' : ''}
          {formatAmount(sum, 'event')} in the last minute
        </span>
        <span>now</span>
      </figcaption>
    </figure>
  );
}
