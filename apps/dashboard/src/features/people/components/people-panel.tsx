import { useQuery } from '@tanstack/react-query';
import { listOf } from '@tidewire/protocol/admin-api';
import { type AdminPerson, adminPersonSchema, adminRoleSchema } from '@tidewire/protocol/admins';
import { MonitorSmartphone, Trash2, Users } from 'lucide-react';
import { useState } from 'react';
import { type Column, DataTable, stackedLabel } from '../../../components/data-table/data-table.js';
import { Badge } from '../../../components/ui/badge.js';
import { ConfirmDialog } from '../../../components/ui/confirm-dialog.js';
import { EmptyState } from '../../../components/ui/empty-state.js';
import { ErrorState } from '../../../components/ui/error-state.js';
import { IconButton } from '../../../components/ui/icon-button.js';
import { Select } from '../../../components/ui/select.js';
import { Ago } from '../../../components/ui/time.js';
import { toastDone, toastFailed } from '../../../components/ui/toaster.js';
import { useListStream } from '../../../lib/use-list-stream.js';
import { peopleQuery } from '../queries.js';
import { useRemoveAdmin } from '../remove-admin.js';
import { roleOptions, roleWords } from '../roles.js';
import { useSetRole } from '../set-role.js';
import { SessionsDialog } from './sessions-dialog.js';

type Opened = { action: 'sessions' | 'remove'; person: AdminPerson; isOpen: boolean };

export function PeoplePanel({ self }: { self: string | undefined }) {
  const { data, error, refetch } = useQuery(peopleQuery);
  const [opened, setOpened] = useState<Opened | null>(null);
  const setRole = useSetRole();
  useListStream({
    path: '/api/admins/stream',
    name: 'admins',
    schema: listOf(adminPersonSchema),
    queryKey: peopleQuery.queryKey,
    select: (answer) => answer.data,
    isOn: data !== undefined,
  });
  const close = () => setOpened((before) => before && { ...before, isOpen: false });
  const columns = columnsOf({
    self,
    onRole: ({ id, email }, role) =>
      setRole.mutate(
        { id, role },
        {
          onSuccess: () => toastDone(`${email} is ${roleWords[role].label.toLowerCase()} now, and signs in again`),
          onError: (refusal) => toastFailed('The role stays', refusal.message),
        },
      ),
    onOpen: (action, person) => setOpened({ action, person, isOpen: true }),
  });
  return (
    <>
      <DataTable
        label="People"
        isStacked
        skeletonRows={3}
        columns={columns}
        rows={data}
        rowKey={({ id }) => id}
        error={error && !data ? <ErrorState error={error} onRetry={() => void refetch()} /> : undefined}
        empty={<EmptyState icon={<Users aria-hidden />} title="Nobody" />}
      />
      {opened?.action === 'sessions' ? (
        <SessionsDialog key={opened.person.id} person={opened.person} isOpen={opened.isOpen} onClose={close} />
      ) : null}
      {opened?.action === 'remove' ? (
        <RemoveDialog key={opened.person.id} person={opened.person} isOpen={opened.isOpen} onClose={close} />
      ) : null}
    </>
  );
}

type PeopleActions = {
  self: string | undefined;
  onRole: (person: AdminPerson, role: AdminPerson['role']) => void;
  onOpen: (action: Opened['action'], person: AdminPerson) => void;
};

function columnsOf({ self, onRole, onOpen }: PeopleActions): Column<AdminPerson>[] {
  return [
    {
      id: 'email',
      header: 'Email',
      className: 'min-w-48',
      stacked: 'max-md:order-1 max-md:flex-1 max-md:basis-48',
      cell: ({ id, email }) => (
        <span className="flex flex-wrap items-center gap-2 font-medium break-all">
          {email}
          {id === self ? <Badge tone="accent">You</Badge> : null}
        </span>
      ),
    },
    {
      id: 'role',
      header: 'Role',
      className: 'w-36',
      stacked: 'max-md:order-3',
      cell: (person) => (
        <Select
          label={`Role of ${person.email}`}
          value={person.role}
          options={roleOptions}
          onChange={(value) => {
            const role = adminRoleSchema.parse(value);
            if (role !== person.role) onRole(person, role);
          }}
          className="-my-1 w-28"
        />
      ),
    },
    {
      id: 'totp',
      header: 'One-time codes',
      className: 'w-px whitespace-nowrap',
      stacked: `max-md:order-4 ${stackedLabel}`,
      cell: ({ hasTotp }) => (hasTotp ? <Badge tone="post">On</Badge> : <Badge>Off</Badge>),
    },
    {
      id: 'used',
      header: 'Last seen',
      className: 'w-px text-muted',
      stacked: 'max-md:order-5 max-md:text-xs',
      cell: ({ lastUsedAt }) =>
        lastUsedAt === null ? (
          <span className="whitespace-nowrap text-faint">signed out</span>
        ) : (
          <Ago at={lastUsedAt} />
        ),
    },
    {
      id: 'actions',
      header: <span className="sr-only">Actions</span>,
      className: 'w-px',
      stacked: 'max-md:order-2 max-md:-mr-2',
      cell: (person) => (
        <div className="-my-1 flex justify-end">
          <IconButton label={`Sessions of ${person.email}`} onClick={() => onOpen('sessions', person)}>
            <MonitorSmartphone aria-hidden />
          </IconButton>
          <IconButton
            label={`Remove ${person.email}`}
            onClick={() => onOpen('remove', person)}
            className="hover:text-delete!"
          >
            <Trash2 aria-hidden />
          </IconButton>
        </div>
      ),
    },
  ];
}

type RemoveDialogProps = { person: AdminPerson; isOpen: boolean; onClose: () => void };

function RemoveDialog({ person, isOpen, onClose }: RemoveDialogProps) {
  const remove = useRemoveAdmin();
  return (
    <ConfirmDialog
      isOpen={isOpen}
      onClose={onClose}
      title={`Remove ${person.email}?`}
      action="Remove"
      isDanger
      isBusy={remove.isPending}
      error={remove.error}
      onConfirm={() =>
        remove.mutate(person.id, {
          onSuccess: () => {
            toastDone(`${person.email} is removed`);
            onClose();
          },
        })
      }
    >
      <p>The account ends with all of its sessions. What this person has done stays in the audit log.</p>
    </ConfirmDialog>
  );
}
