import { useQuery } from '@tanstack/react-query';
import type { UserAccountAnswer } from '@tidewire/protocol/auth-api';
import { UserPlus, Users } from 'lucide-react';
import { useState } from 'react';
import { DataTable } from '../../../components/data-table/data-table.js';
import { Button } from '../../../components/ui/button.js';
import { EmptyState } from '../../../components/ui/empty-state.js';
import { ErrorState } from '../../../components/ui/error-state.js';
import { usersQuery } from '../queries.js';
import { EndSessionsDialog } from './end-sessions-dialog.js';
import { ResetTokenDialog } from './reset-token-dialog.js';
import { userColumns } from './user-columns.js';

type Opened = { action: 'reset' | 'end'; target: UserAccountAnswer; isOpen: boolean };

export function UsersPanel({ database, onCreate }: { database: string; onCreate: () => void }) {
  const { data, error, refetch } = useQuery({ ...usersQuery(database), refetchInterval: 5_000 });
  const [opened, setOpened] = useState<Opened | null>(null);
  const close = () => setOpened((before) => before && { ...before, isOpen: false });
  const columns = userColumns({
    onReset: (target) => setOpened({ action: 'reset', target, isOpen: true }),
    onEnd: (target) => setOpened({ action: 'end', target, isOpen: true }),
  });
  return (
    <>
      <DataTable
        label="Users"
        isStacked
        columns={columns}
        rows={data}
        rowKey={({ id }) => id}
        rowClassName={({ isActive }) => (isActive ? '' : 'text-muted')}
        error={error && !data ? <ErrorState error={error} onRetry={() => void refetch()} /> : undefined}
        empty={
          <EmptyState
            icon={<Users aria-hidden />}
            title="No account yet"
            action={
              <Button variant="primary" icon={<UserPlus aria-hidden />} onClick={onCreate}>
                Create user
              </Button>
            }
          >
            <p>
              People of your application sign in with an account of this database, or with a token of another service.
              What they may do is said by their roles.
            </p>
          </EmptyState>
        }
      />
      {opened?.action === 'reset' ? (
        <ResetTokenDialog
          key={opened.target.id}
          database={database}
          user={opened.target}
          isOpen={opened.isOpen}
          onClose={close}
        />
      ) : null}
      {opened?.action === 'end' ? (
        <EndSessionsDialog
          key={opened.target.id}
          database={database}
          user={opened.target}
          isOpen={opened.isOpen}
          onClose={close}
        />
      ) : null}
    </>
  );
}
