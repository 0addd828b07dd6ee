import type { ApiKeyAnswer } from '@tidewire/protocol/admin-api';
import { Ban, Pencil } from 'lucide-react';
import type { Column } from '../../../components/data-table/data-table.js';
import { Badge } from '../../../components/ui/badge.js';
import { Chip } from '../../../components/ui/chip.js';
import { IconButton } from '../../../components/ui/icon-button.js';
import { Ago } from '../../../components/ui/time.js';
import { Tooltip } from '../../../components/ui/tooltip.js';

type KeyActions = { onEdit: (key: ApiKeyAnswer) => void; onRevoke: (key: ApiKeyAnswer) => void };

/** Puts the column's header in front of the value where the header row is not shown. */
const labelled =
  'max-md:before:mb-1 max-md:before:mr-1.5 max-md:before:text-2xs max-md:before:text-faint max-md:before:content-[attr(data-label)]';

export function keyColumns({ onEdit, onRevoke }: KeyActions): Column<ApiKeyAnswer>[] {
  return [
    {
      id: 'name',
      header: 'Name',
      className: 'min-w-36 max-w-64',
      stacked: 'max-md:order-1 max-md:flex-1 max-md:basis-48',
      cell: ({ name, prefix }) => (
        <div className="flex min-w-0 flex-col">
          <span className="font-medium break-words">{name}</span>
          <code className="text-xs text-muted">{prefix}…</code>
        </div>
      ),
    },
    {
      id: 'grants',
      header: 'Grants',
      className: 'min-w-64',
      stacked: 'max-md:order-3 max-md:basis-full',
      cell: (key) => <Grants apiKey={key} />,
    },
    {
      id: 'origins',
      header: 'Origins',
      className: 'max-w-48 min-w-32',
      stacked: `max-md:order-4 max-md:basis-full ${labelled}`,
      cell: ({ origins, revokedAt }) =>
        origins.length === 0 ? (
          <span className="text-xs text-faint">no web page</span>
        ) : (
          <Chips entries={origins} isFaded={revokedAt !== null} />
        ),
    },
    {
      id: 'created',
      header: 'Created',
      className: 'w-px text-muted',
      stacked: `max-md:order-6 max-md:text-xs ${labelled}`,
      cell: ({ createdAt }) => <Ago at={createdAt} />,
    },
    {
      id: 'used',
      header: 'Last used',
      className: 'w-px text-muted',
      stacked: `max-md:order-7 max-md:text-xs ${labelled}`,
      cell: ({ lastUsedAt }) =>
        lastUsedAt === null ? <span className="text-faint">never</span> : <Ago at={lastUsedAt} />,
    },
    {
      id: 'state',
      header: 'State',
      className: 'w-px',
      stacked: 'max-md:order-5',
      cell: ({ revokedAt }) =>
        revokedAt === null ? <Badge tone="post">Active</Badge> : <Badge tone="delete">Revoked</Badge>,
    },
    {
      id: 'actions',
      header: <span className="sr-only">Actions</span>,
      className: 'w-px',
      stacked: 'max-md:order-2 max-md:-mr-2',
      cell: (key) => (
        <div className="-my-1 flex justify-end">
          <IconButton label={`Edit ${key.name}`} disabled={key.revokedAt !== null} onClick={() => onEdit(key)}>
            <Pencil aria-hidden />
          </IconButton>
          <IconButton
            label={`Revoke ${key.name}`}
            disabled={key.revokedAt !== null}
            onClick={() => onRevoke(key)}
            className="hover:text-delete!"
          >
            <Ban aria-hidden />
          </IconButton>
        </div>
      ),
    },
  ];
}

function Grants({ apiKey }: { apiKey: ApiKeyAnswer }) {
  const lists = [
    { label: 'REST', entries: apiKey.rest },
    { label: 'Listen', entries: apiKey.listen },
    { label: 'Publish', entries: apiKey.publish },
  ].filter(({ entries }) => entries.length > 0);
  if (lists.length === 0) return <span className="text-xs text-faint">nothing granted</span>;
  return (
    <dl className="grid grid-cols-[3rem_minmax(0,1fr)] gap-x-2 gap-y-1">
      {lists.map(({ label, entries }) => (
        <div key={label} className="contents">
          <dt className="text-2xs leading-5.5 text-faint">{label}</dt>
          <dd>
            <Chips entries={entries} isFaded={apiKey.revokedAt !== null} />
          </dd>
        </div>
      ))}
    </dl>
  );
}

const shownChips = 4;

function Chips({ entries, isFaded }: { entries: readonly string[]; isFaded: boolean }) {
  const rest = entries.slice(shownChips);
  return (
    <ul className="flex flex-wrap gap-1">
      {entries.slice(0, shownChips).map((entry) => (
        <li key={entry} className="flex max-w-full min-w-0">
          <Chip text={entry} isFaded={isFaded} />
        </li>
      ))}
      {rest.length > 0 ? (
        <li>
          <Tooltip text={rest.join(', ')}>
            <button
              type="button"
              aria-label={`${rest.length} more: ${rest.join(', ')}`}
              className="h-5.5 rounded-xs px-1.5 text-2xs text-muted hover:bg-hover"
            >
              +{rest.length}
            </button>
          </Tooltip>
        </li>
      ) : null}
    </ul>
  );
}
