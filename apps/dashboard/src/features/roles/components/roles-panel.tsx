import { useQuery } from '@tanstack/react-query';
import type { RoleAnswer } from '@tidewire/protocol/roles';
import { Plus, Users } from 'lucide-react';
import { useState } from 'react';
import { DataTable } from '../../../components/data-table/data-table.js';
import { Button } from '../../../components/ui/button.js';
import { EmptyState } from '../../../components/ui/empty-state.js';
import { ErrorState } from '../../../components/ui/error-state.js';
import { rolesQuery } from '../queries.js';
import { DeleteRoleDialog } from './delete-role-dialog.js';
import { roleColumns } from './role-columns.js';
import { RoleDialog } from './role-dialog.js';

type RolesPanelProps = { database: string; onCreate: () => void };
type Opened = { action: 'edit' | 'delete'; target: RoleAnswer; isOpen: boolean };

export function RolesPanel({ database, onCreate }: RolesPanelProps) {
  const { data, error, refetch } = useQuery(rolesQuery(database));
  const [opened, setOpened] = useState<Opened | null>(null);
  const close = () => setOpened((before) => before && { ...before, isOpen: false });
  const columns = roleColumns({
    onEdit: (target) => setOpened({ action: 'edit', target, isOpen: true }),
    onDelete: (target) => setOpened({ action: 'delete', target, isOpen: true }),
  });
  return (
    <>
      <DataTable
        label="Roles"
        isTall
        isStacked
        columns={columns}
        rows={data}
        rowKey={({ name }) => name}
        error={error && !data ? <ErrorState error={error} onRetry={() => void refetch()} /> : undefined}
        empty={
          <EmptyState
            icon={<Users aria-hidden />}
            title="No role yet"
            action={
              <Button variant="primary" icon={<Plus aria-hidden />} onClick={onCreate}>
                Create role
              </Button>
            }
          >
            <p>A role says what users may do, and with a rule which documents and fields of a collection are theirs.</p>
          </EmptyState>
        }
      />
      {opened?.action === 'edit' ? (
        <RoleDialog
          key={opened.target.name}
          database={database}
          edited={opened.target}
          isOpen={opened.isOpen}
          onClose={close}
        />
      ) : null}
      {opened?.action === 'delete' ? (
        <DeleteRoleDialog
          key={opened.target.name}
          database={database}
          deleted={opened.target}
          isOpen={opened.isOpen}
          onClose={close}
        />
      ) : null}
    </>
  );
}
