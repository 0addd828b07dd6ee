import { useQuery } from '@tanstack/react-query';
import { listOf } from '@tidewire/protocol/admin-api';
import { type InviteAnswer, inviteSchema } from '@tidewire/protocol/admins';
import { MailPlus, X } from 'lucide-react';
import { type Column, DataTable } from '../../../components/data-table/data-table.js';
import { Badge } from '../../../components/ui/badge.js';
import { EmptyState } from '../../../components/ui/empty-state.js';
import { ErrorState } from '../../../components/ui/error-state.js';
import { IconButton } from '../../../components/ui/icon-button.js';
import { Ago } from '../../../components/ui/time.js';
import { toastDone, toastFailed } from '../../../components/ui/toaster.js';
import { useListStream } from '../../../lib/use-list-stream.js';
import { useNow } from '../../../lib/use-now.js';
import { useDeleteInvite } from '../delete-invite.js';
import { invitesQuery } from '../queries.js';
import { roleWords } from '../roles.js';

export function InvitesPanel() {
  const { data, error, refetch } = useQuery(invitesQuery);
  const takeBack = useDeleteInvite();
  const now = useNow(30_000);
  useListStream({
    path: '/api/invites/stream',
    name: 'invites',
    schema: listOf(inviteSchema),
    queryKey: invitesQuery.queryKey,
    select: (answer) => answer.data,
    isOn: data !== undefined,
  });
  const onTakeBack = ({ id, email }: InviteAnswer) =>
    takeBack.mutate(id, {
      onSuccess: () => toastDone(`The invitation of ${email} is taken back`),
      onError: (refusal) => toastFailed('The invitation stays', refusal.message),
    });
  return (
    <DataTable
      label="Invitations"
      isStacked
      skeletonRows={1}
      columns={columnsOf(now, onTakeBack)}
      rows={data}
      rowKey={({ id }) => id}
      error={error && !data ? <ErrorState error={error} onRetry={() => void refetch()} /> : undefined}
      empty={
        <EmptyState icon={<MailPlus aria-hidden />} title="No invitation waits">
          <p>Whoever is invited gets a link from you, chooses a password, and is signed in.</p>
        </EmptyState>
      }
    />
  );
}

function columnsOf(now: number, onTakeBack: (invite: InviteAnswer) => void): Column<InviteAnswer>[] {
  return [
    {
      id: 'email',
      header: 'Email',
      className: 'min-w-48',
      stacked: 'max-md:order-1 max-md:flex-1 max-md:basis-48',
      cell: ({ email }) => <span className="font-medium break-all">{email}</span>,
    },
    {
      id: 'role',
      header: 'Will be',
      className: 'w-px',
      stacked: 'max-md:order-3 max-md:basis-full',
      cell: ({ role }) => <Badge>{roleWords[role].label}</Badge>,
    },
    {
      id: 'by',
      header: 'Invited by',
      className: 'min-w-32 text-muted',
      stacked: 'max-md:order-4 max-md:text-xs',
      cell: ({ invitedBy, createdAt }) => (
        <span className="break-all">
          {invitedBy}, <Ago at={createdAt} />
        </span>
      ),
    },
    {
      id: 'until',
      header: 'Good until',
      className: 'w-px text-muted',
      stacked: 'max-md:order-5 max-md:text-xs',
      cell: ({ expiresAt }) =>
        Date.parse(expiresAt) <= now ? <Badge tone="delete">Over</Badge> : <Ago at={expiresAt} />,
    },
    {
      id: 'actions',
      header: <span className="sr-only">Actions</span>,
      className: 'w-px',
      stacked: 'max-md:order-2 max-md:-mr-2',
      cell: (invite) => (
        <div className="-my-1 flex justify-end">
          <IconButton label={`Take back the invitation of ${invite.email}`} onClick={() => onTakeBack(invite)}>
            <X aria-hidden />
          </IconButton>
        </div>
      ),
    },
  ];
}
