import type { RoleAnswer } from '@tidewire/protocol/roles';
import { Pencil, Trash2 } from 'lucide-react';
import { type Column, stackedLabel } from '../../../components/data-table/data-table.js';
import { Chip } from '../../../components/ui/chip.js';
import { IconButton } from '../../../components/ui/icon-button.js';
import { Ago } from '../../../components/ui/time.js';

type RoleActions = { onEdit: (role: RoleAnswer) => void; onDelete: (role: RoleAnswer) => void };

export function roleColumns({ onEdit, onDelete }: RoleActions): Column<RoleAnswer>[] {
  return [
    {
      id: 'name',
      header: 'Name',
      className: 'min-w-32 max-w-64',
      stacked: 'max-md:order-1 max-md:flex-1 max-md:basis-48',
      cell: ({ name }) => <span className="font-medium break-words">{name}</span>,
    },
    {
      id: 'grants',
      header: 'Grants',
      className: 'min-w-64',
      stacked: 'max-md:order-3 max-md:basis-full',
      cell: (role) => <Grants role={role} />,
    },
    {
      id: 'rules',
      header: 'Rules for',
      className: 'min-w-32',
      stacked: `max-md:order-4 max-md:basis-full ${stackedLabel}`,
      cell: ({ rules }) => <Words entries={Object.keys(rules)} none="no rule: all documents" />,
    },
    {
      id: 'created',
      header: 'Created',
      className: 'w-px text-muted',
      stacked: `max-md:order-5 max-md:text-xs ${stackedLabel}`,
      cell: ({ createdAt }) => <Ago at={createdAt} />,
    },
    {
      id: 'actions',
      header: <span className="sr-only">Actions</span>,
      className: 'w-px',
      stacked: 'max-md:order-2 max-md:-mr-2',
      cell: (role) => (
        <div className="-my-1 flex justify-end">
          <IconButton label={`Edit ${role.name}`} onClick={() => onEdit(role)}>
            <Pencil aria-hidden />
          </IconButton>
          <IconButton label={`Delete ${role.name}`} onClick={() => onDelete(role)} className="hover:text-delete!">
            <Trash2 aria-hidden />
          </IconButton>
        </div>
      ),
    },
  ];
}

function Grants({ role }: { role: RoleAnswer }) {
  const lists = [
    { label: 'REST', entries: role.rest },
    { label: 'Listen', entries: role.listen },
    { label: 'Publish', entries: role.publish },
  ].filter(({ entries }) => entries.length > 0);
  if (lists.length === 0) return <span className="text-xs text-faint">nothing granted</span>;
  return (
    <dl className="grid grid-cols-[3rem_minmax(0,1fr)] gap-x-2 gap-y-1">
      {lists.map(({ label, entries }) => (
        <div key={label} className="contents">
          <dt className="pt-0.5 text-2xs text-faint">{label}</dt>
          <dd className="min-w-0">
            <Words entries={entries} none="" />
          </dd>
        </div>
      ))}
    </dl>
  );
}

const shownWords = 12;

function Words({ entries, none }: { entries: readonly string[]; none: string }) {
  if (entries.length === 0) return <span className="text-xs text-faint">{none}</span>;
  const more = entries.length - shownWords;
  return (
    <span className="flex flex-wrap gap-1">
      {entries.slice(0, shownWords).map((entry) => (
        <Chip key={entry} text={entry} />
      ))}
      {more > 0 ? <span className="text-2xs text-faint">and {more} more</span> : null}
    </span>
  );
}
