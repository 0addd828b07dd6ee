import type { AdminSessionAnswer } from '@tidewire/protocol/admins';
import { LogOut } from 'lucide-react';
import { DataTable, stackedLabel } from './data-table/data-table.js';
import { Badge } from './ui/badge.js';
import { EmptyState } from './ui/empty-state.js';
import { ErrorState } from './ui/error-state.js';
import { IconButton } from './ui/icon-button.js';
import { Ago } from './ui/time.js';

type SessionsTableProps = {
  sessions: readonly AdminSessionAnswer[] | undefined;
  error: unknown;
  onRetry: () => void;
  onEnd: (session: AdminSessionAnswer) => void;
};

/** The browsers in which somebody is signed in. */
export function SessionsTable({ sessions, error, onRetry, onEnd }: SessionsTableProps) {
  return (
    <DataTable
      label="Sessions"
      isStacked
      skeletonRows={2}
      rows={sessions}
      rowKey={({ id }) => id}
      error={error && !sessions ? <ErrorState error={error} onRetry={onRetry} /> : undefined}
      empty={<EmptyState icon={<LogOut aria-hidden />} title="Signed in nowhere" />}
      columns={[
        {
          id: 'browser',
          header: 'Browser',
          className: 'min-w-40 max-w-80',
          stacked: 'max-md:order-1 max-md:flex-1 max-md:basis-48',
          cell: ({ userAgent, address, isCurrent }) => (
            <div className="flex min-w-0 flex-col">
              <span className="flex flex-wrap items-center gap-2 font-medium">
                {browserOf(userAgent)}
                {isCurrent ? <Badge tone="accent">This one</Badge> : null}
              </span>
              <code className="text-xs text-muted">{address || 'unknown address'}</code>
            </div>
          ),
        },
        {
          id: 'used',
          header: 'Last used',
          className: 'w-px text-muted',
          stacked: `max-md:order-3 max-md:basis-full max-md:text-xs ${stackedLabel}`,
          cell: ({ lastUsedAt }) => <Ago at={lastUsedAt} />,
        },
        {
          id: 'begun',
          header: 'Signed in',
          className: 'w-px text-muted',
          stacked: 'max-md:hidden',
          cell: ({ createdAt }) => <Ago at={createdAt} />,
        },
        {
          id: 'actions',
          header: <span className="sr-only">Actions</span>,
          className: 'w-px',
          stacked: 'max-md:order-2 max-md:-mr-2',
          cell: (session) => (
            <div className="-my-1 flex justify-end">
              <IconButton
                label={
                  session.isCurrent ? 'Sign out to end this one' : `End the session in ${browserOf(session.userAgent)}`
                }
                disabled={session.isCurrent}
                onClick={() => onEnd(session)}
                className="hover:text-delete!"
              >
                <LogOut aria-hidden />
              </IconButton>
            </div>
          ),
        },
      ]}
    />
  );
}

/** `Firefox on Linux`, as far as the browser says it. */
function browserOf(userAgent: string): string {
  const browser = /(Firefox|Edg|OPR|Chrome|Safari|curl)\//.exec(userAgent)?.[1];
  const system = /(Windows|Android|iPhone|iPad|Mac OS X|Linux)/.exec(userAgent)?.[1];
  const names: Record<string, string> = { Edg: 'Edge', OPR: 'Opera' };
  if (browser === undefined) return userAgent.slice(0, 40) || 'Unknown browser';
  const name = names[browser] ?? browser;
  return system === undefined ? name : `${name} on ${system === 'Mac OS X' ? 'macOS' : system}`;
}
