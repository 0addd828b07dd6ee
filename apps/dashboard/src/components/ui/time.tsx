import { formatAgo, formatDateTime } from '../../lib/format.js';
import { useNow } from '../../lib/use-now.js';

/** An age that grows, with the exact time as its title. */
export function Ago({ at }: { at: string }) {
  const now = useNow(30_000);
  return (
    <time dateTime={at} title={formatDateTime(at)} className="whitespace-nowrap">
      {formatAgo(at, now)}
    </time>
  );
}
