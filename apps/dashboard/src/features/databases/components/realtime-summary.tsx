import { Link } from '@tanstack/react-router';
import { Badge } from '../../../components/ui/badge.js';

/** The realtime flag in words, with the way to change it. */
export function RealtimeSummary({ database, isGlobal }: { database: string; isGlobal: boolean }) {
  return (
    <div className="flex flex-col items-start gap-2 text-sm">
      <Badge tone={isGlobal ? 'accent' : 'neutral'}>{isGlobal ? 'On for every key' : 'Per key'}</Badge>
      <p className="text-muted">
        {isGlobal
          ? 'Every key of this database hears every change and every published event, whatever channels it was granted.'
          : 'A key hears only the channels it was granted. A key without channels hears nothing.'}
      </p>
      <Link
        to="/db/$database/settings"
        params={{ database }}
        className="rounded-xs font-medium text-accent-text underline decoration-accent/40 underline-offset-3 hover:decoration-accent"
      >
        Change in settings
      </Link>
    </div>
  );
}
