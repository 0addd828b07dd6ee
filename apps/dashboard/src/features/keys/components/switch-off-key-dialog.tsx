import type { ApiKeyAnswer } from '@tidewire/protocol/admin-api';
import { ConfirmDialog } from '../../../components/ui/confirm-dialog.js';
import { toastDone } from '../../../components/ui/toaster.js';
import { useUpdateKey } from '../update-key.js';

type SwitchOffKeyDialogProps = { database: string; target: ApiKeyAnswer; isOpen: boolean; onClose: () => void };

export function SwitchOffKeyDialog({ database, target, isOpen, onClose }: SwitchOffKeyDialogProps) {
  const update = useUpdateKey(database);
  const confirm = () =>
    update.mutate(
      { id: target.id, disabled: true },
      {
        onSuccess: ({ name }) => {
          toastDone(`${name} is switched off`);
          onClose();
        },
      },
    );
  return (
    <ConfirmDialog
      isOpen={isOpen}
      onClose={onClose}
      title={`Switch off ${target.name}?`}
      action="Switch off"
      isBusy={update.isPending}
      error={update.error}
      onConfirm={confirm}
    >
      <p>
        Requests with <code className="text-text">{target.prefix}…</code> are refused until it is switched on again, and
        its open streams end within a second.
      </p>
    </ConfirmDialog>
  );
}
