import { useQuery } from '@tanstack/react-query';
import type { ApiKeyAnswer } from '@tidewire/protocol/admin-api';
import { KeyRound, Plus } from 'lucide-react';
import { useState } from 'react';
import { DataTable } from '../../../components/data-table/data-table.js';
import { Button } from '../../../components/ui/button.js';
import { EmptyState } from '../../../components/ui/empty-state.js';
import { ErrorState } from '../../../components/ui/error-state.js';
import { keysQuery } from '../queries.js';
import { EditKeyDialog } from './edit-key-dialog.js';
import { keyColumns } from './key-columns.js';
import { RevokeKeyDialog } from './revoke-key-dialog.js';

type KeysPanelProps = { database: string; collections: readonly string[]; onCreate: () => void };
type Opened = { action: 'edit' | 'revoke'; target: ApiKeyAnswer; isOpen: boolean };

export function KeysPanel({ database, collections, onCreate }: KeysPanelProps) {
  const { data, error, refetch } = useQuery(keysQuery(database));
  const [opened, setOpened] = useState<Opened | null>(null);
  const close = () => setOpened((before) => before && { ...before, isOpen: false });
  const columns = keyColumns({
    onEdit: (target) => setOpened({ action: 'edit', target, isOpen: true }),
    onRevoke: (target) => setOpened({ action: 'revoke', target, isOpen: true }),
  });
  return (
    <>
      <DataTable
        label="Keys"
        isTall
        isStacked
        columns={columns}
        rows={data}
        rowKey={({ id }) => id}
        rowClassName={({ revokedAt }) => (revokedAt === null ? '' : 'text-muted')}
        error={error && !data ? <ErrorState error={error} onRetry={() => void refetch()} /> : undefined}
        empty={
          <EmptyState
            icon={<KeyRound aria-hidden />}
            title="No key yet"
            action={
              <Button variant="primary" icon={<Plus aria-hidden />} onClick={onCreate}>
                Create key
              </Button>
            }
          >
            <p>
              An application needs a key to read, write and listen. Its lists say what it may do, and nothing is allowed
              that they do not name.
            </p>
          </EmptyState>
        }
      />
      {opened?.action === 'edit' ? (
        <EditKeyDialog
          key={opened.target.id}
          database={database}
          collections={collections}
          edited={opened.target}
          isOpen={opened.isOpen}
          onClose={close}
        />
      ) : null}
      {opened?.action === 'revoke' ? (
        <RevokeKeyDialog
          key={opened.target.id}
          database={database}
          revoked={opened.target}
          isOpen={opened.isOpen}
          onClose={close}
        />
      ) : null}
    </>
  );
}
