import { useQuery } from '@tanstack/react-query';
import { type ApiKeyAnswer, keyStateOf } from '@tidewire/protocol/admin-api';
import { KeyRound, Plus } from 'lucide-react';
import { useState } from 'react';
import { DataTable } from '../../../components/data-table/data-table.js';
import { Button } from '../../../components/ui/button.js';
import { EmptyState } from '../../../components/ui/empty-state.js';
import { ErrorState } from '../../../components/ui/error-state.js';
import { toastDone, toastFailed } from '../../../components/ui/toaster.js';
import { useNow } from '../../../lib/use-now.js';
import { keysQuery } from '../queries.js';
import { useUpdateKey } from '../update-key.js';
import { EditKeyDialog } from './edit-key-dialog.js';
import { keyColumns } from './key-columns.js';
import { RevokeKeyDialog } from './revoke-key-dialog.js';
import { RotateKeyDialog } from './rotate-key-dialog.js';
import { SwitchOffKeyDialog } from './switch-off-key-dialog.js';

type KeysPanelProps = { database: string; collections: readonly string[]; onCreate: () => void };
type Action = 'edit' | 'revoke' | 'rotate' | 'switch off';
type Opened = { action: Action; target: ApiKeyAnswer; isOpen: boolean };

export function KeysPanel({ database, collections, onCreate }: KeysPanelProps) {
  const { data, error, refetch } = useQuery(keysQuery(database));
  const [opened, setOpened] = useState<Opened | null>(null);
  const close = () => setOpened((before) => before && { ...before, isOpen: false });
  const update = useUpdateKey(database);
  const now = useNow(10_000);
  const open = (action: Action) => (target: ApiKeyAnswer) => setOpened({ action, target, isOpen: true });
  const switchOn = ({ id, name: known }: ApiKeyAnswer) =>
    update.mutate(
      { id, disabled: false },
      {
        onSuccess: ({ name }) => toastDone(`${name} is switched on`),
        onError: ({ message }) => toastFailed(`${known} could not be switched on`, message),
      },
    );
  const columns = keyColumns({
    now,
    onEdit: open('edit'),
    onRevoke: open('revoke'),
    onRotate: open('rotate'),
    onSwitchOff: open('switch off'),
    onSwitchOn: switchOn,
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
        rowClassName={(key) => (keyStateOf(key, now) === 'good' ? '' : 'text-muted')}
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
      {opened?.action === 'rotate' ? (
        <RotateKeyDialog
          key={opened.target.id}
          database={database}
          rotated={opened.target}
          isOpen={opened.isOpen}
          onClose={close}
        />
      ) : null}
      {opened?.action === 'switch off' ? (
        <SwitchOffKeyDialog
          key={opened.target.id}
          database={database}
          target={opened.target}
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
