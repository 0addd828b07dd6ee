import { Link } from '@tanstack/react-router';
import type { AdminEvent } from '@tidewire/protocol/admin-api';
import { Radio } from 'lucide-react';
import { type Column, DataTable } from '../../../components/data-table/data-table.js';
import { EmptyState } from '../../../components/ui/empty-state.js';
import { ErrorState } from '../../../components/ui/error-state.js';
import { EventTypeBadge } from '../../../components/ui/event-type.js';
import { Ago } from '../../../components/ui/time.js';
import { previewData, subjectOf } from '../event-words.js';
import type { EventLog } from '../use-event-buffer.js';
import { useFreshFrom } from '../use-fresh-from.js';

const shownEvents = 8;

const columns: Column<AdminEvent>[] = [
  { id: 'id', header: 'Id', className: 'w-px font-mono text-xs text-muted', cell: ({ id }) => id },
  { id: 'type', header: 'Type', className: 'w-px', cell: ({ type }) => <EventTypeBadge type={type} /> },
  {
    id: 'subject',
    header: 'Collection',
    className: 'max-w-40 min-w-24',
    cell: (event) => (
      <span className="block truncate font-medium" title={subjectOf(event)}>
        {subjectOf(event)}
      </span>
    ),
  },
  {
    id: 'data',
    header: 'Data',
    className: 'w-full max-w-0 max-sm:hidden',
    cell: (event) => <span className="block truncate font-mono text-xs text-faint">{previewData(event)}</span>,
  },
  { id: 'at', header: 'When', className: 'w-px text-right text-muted', cell: ({ at }) => <Ago at={at} /> },
];

/** The last few events, live. */
export function RecentEvents({ database, log }: { database: string; log: EventLog }) {
  const { buffer, history, loadOlder } = log;
  const freshFrom = useFreshFrom(buffer.rows.at(-1)?.id, history.state !== 'loading');
  const isWaiting = buffer.rows.length === 0 && history.state === 'loading';
  return (
    <>
      <DataTable
        label="Last events"
        columns={columns}
        rows={isWaiting ? undefined : buffer.rows.slice(-shownEvents).reverse()}
        rowKey={({ id }) => String(id)}
        rowClassName={({ id }) => (id >= freshFrom ? 'animate-row-in' : '')}
        skeletonRows={shownEvents}
        error={
          history.state === 'failed' && buffer.rows.length === 0 ? (
            <ErrorState error={history.error} onRetry={loadOlder} />
          ) : undefined
        }
        empty={
          <EmptyState icon={<Radio aria-hidden />} title="No event yet">
            <p>Write a document with one of the commands above: its event shows up here by itself.</p>
          </EmptyState>
        }
      />
      {buffer.rows.length > 0 ? (
        <div className="border-t border-line bg-canvas px-4 py-2 text-xs">
          <Link
            to="/db/$database/events"
            params={{ database }}
            className="rounded-xs font-medium text-accent-text underline-offset-3 hover:underline"
          >
            All events
          </Link>
        </div>
      ) : null}
    </>
  );
}
