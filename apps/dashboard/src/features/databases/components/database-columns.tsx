import { Link } from '@tanstack/react-router';
import type { DatabaseAnswer } from '@tidewire/protocol/admin-api';
import { defaultDatabaseName } from '@tidewire/protocol/names';
import { Pencil, Trash2 } from 'lucide-react';
import { type Column, stackedLabel } from '../../../components/data-table/data-table.js';
import { Badge } from '../../../components/ui/badge.js';
import { IconButton } from '../../../components/ui/icon-button.js';
import { ProgressBar } from '../../../components/ui/progress-bar.js';
import { Ago } from '../../../components/ui/time.js';
import { formatBytes, formatCount } from '../../../lib/format.js';

type DatabaseActions = {
  mayDelete: boolean;
  onRename: (database: DatabaseAnswer) => void;
  onDelete: (database: DatabaseAnswer) => void;
};

export function databaseColumns({ mayDelete, onRename, onDelete }: DatabaseActions): Column<DatabaseAnswer>[] {
  return [
    {
      id: 'name',
      header: 'Name',
      className: 'min-w-40',
      stacked: 'max-md:order-1 max-md:flex-1',
      cell: ({ name, deletion }) =>
        deletion === null ? (
          <Link to="/db/$database" params={{ database: name }} className="font-medium text-accent-text hover:underline">
            {name}
          </Link>
        ) : (
          <span className="font-medium text-muted">{name}</span>
        ),
    },
    {
      id: 'state',
      header: 'State',
      className: 'min-w-56',
      stacked: 'max-md:order-3 max-md:basis-full',
      cell: ({ deletion, settings }) =>
        deletion === null ? (
          <Badge tone={settings.realtime.global ? 'accent' : 'neutral'}>
            {settings.realtime.global ? 'Realtime for every key' : 'Realtime by key'}
          </Badge>
        ) : (
          <Deletion {...deletion} />
        ),
    },
    {
      id: 'events',
      header: 'Newest event',
      className: 'w-px text-right tabular-nums whitespace-nowrap',
      stacked: 'max-md:hidden',
      cell: ({ head }) => formatCount(head),
    },
    {
      id: 'bytes',
      header: 'Log',
      className: 'w-px text-right tabular-nums whitespace-nowrap',
      stacked: 'max-md:hidden',
      cell: ({ bytes }) => (bytes === null ? <span className="text-faint">not counted</span> : formatBytes(bytes)),
    },
    {
      id: 'created',
      header: 'Created',
      className: 'w-px text-muted',
      stacked: `max-md:order-4 max-md:text-xs ${stackedLabel}`,
      cell: ({ createdAt }) => <Ago at={createdAt} />,
    },
    {
      id: 'actions',
      header: <span className="sr-only">Actions</span>,
      className: 'w-px',
      stacked: 'max-md:order-2 max-md:-mr-2',
      cell: (database) => (
        <div className="-my-1 flex justify-end">
          <IconButton
            label={database.name === defaultDatabaseName ? 'This database keeps its name' : `Rename ${database.name}`}
            disabled={isFixed(database)}
            onClick={() => onRename(database)}
          >
            <Pencil aria-hidden />
          </IconButton>
          {mayDelete ? (
            <IconButton
              label={
                database.name === defaultDatabaseName ? 'This database is always there' : `Delete ${database.name}`
              }
              disabled={isFixed(database)}
              onClick={() => onDelete(database)}
              className="hover:text-delete!"
            >
              <Trash2 aria-hidden />
            </IconButton>
          ) : null}
        </div>
      ),
    },
  ];
}

function isFixed({ name, deletion }: DatabaseAnswer): boolean {
  return name === defaultDatabaseName || deletion !== null;
}

function Deletion({ total, deleted }: NonNullable<DatabaseAnswer['deletion']>) {
  const text = total === null ? 'Being deleted' : `${formatCount(deleted)} of ${formatCount(total)} rows deleted`;
  return <ProgressBar label="Deletion" value={deleted} max={Math.max(total ?? 1, 1)} text={text} />;
}
