import type { UserAccountAnswer } from '@tidewire/protocol/auth-api';
import { KeyRound, LogOut } from 'lucide-react';
import { type Column, stackedLabel } from '../../../components/data-table/data-table.js';
import { Badge } from '../../../components/ui/badge.js';
import { Chip } from '../../../components/ui/chip.js';
import { IconButton } from '../../../components/ui/icon-button.js';
import { Ago } from '../../../components/ui/time.js';

type UserActions = { onReset: (user: UserAccountAnswer) => void; onEnd: (user: UserAccountAnswer) => void };

export function userColumns({ onReset, onEnd }: UserActions): Column<UserAccountAnswer>[] {
  return [
    {
      id: 'email',
      header: 'Email',
      className: 'min-w-48 max-w-80',
      stacked: 'max-md:order-1 max-md:flex-1 max-md:basis-48',
      cell: ({ id, email }) => (
        <div className="flex min-w-0 flex-col">
          <span className="font-medium break-words">{email}</span>
          <code className="text-xs text-muted">{id}</code>
        </div>
      ),
    },
    {
      id: 'roles',
      header: 'Roles',
      className: 'min-w-32',
      stacked: `max-md:order-3 max-md:basis-full ${stackedLabel}`,
      cell: ({ roles }) =>
        roles.length === 0 ? (
          <span className="text-xs text-faint">the default role</span>
        ) : (
          <ul className="flex flex-wrap gap-1">
            {roles.map((role) => (
              <li key={role} className="flex max-w-full min-w-0">
                <Chip text={role} isFaded={false} />
              </li>
            ))}
          </ul>
        ),
    },
    {
      id: 'sessions',
      header: 'Sessions',
      className: 'w-px tabular-nums text-muted',
      stacked: `max-md:order-5 max-md:text-xs ${stackedLabel}`,
      cell: ({ sessions }) => sessions,
    },
    {
      id: 'created',
      header: 'Created',
      className: 'w-px text-muted',
      stacked: `max-md:order-6 max-md:text-xs ${stackedLabel}`,
      cell: ({ createdAt }) => <Ago at={createdAt} />,
    },
    {
      id: 'state',
      header: 'State',
      className: 'w-px',
      stacked: 'max-md:order-4',
      cell: ({ isActive }) =>
        isActive ? <Badge tone="post">Active</Badge> : <Badge tone="delete">Switched off</Badge>,
    },
    {
      id: 'actions',
      header: <span className="sr-only">Actions</span>,
      className: 'w-px',
      stacked: 'max-md:order-2 max-md:-mr-2',
      cell: (user) => (
        <div className="-my-1 flex justify-end">
          <IconButton label={`Make a reset token for ${user.email}`} onClick={() => onReset(user)}>
            <KeyRound aria-hidden />
          </IconButton>
          <IconButton
            label={`End the sessions of ${user.email}`}
            disabled={user.sessions === 0}
            onClick={() => onEnd(user)}
            className="hover:text-delete!"
          >
            <LogOut aria-hidden />
          </IconButton>
        </div>
      ),
    },
  ];
}
