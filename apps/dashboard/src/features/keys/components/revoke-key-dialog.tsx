import type { ApiKeyAnswer } from '@tidewire/protocol/admin-api';
import { ConfirmDialog } from '../../../components/ui/confirm-dialog.js';
import { toastDone } from '../../../components/ui/toaster.js';
import { useRevokeKey } from '../revoke-key.js';

type RevokeKeyDialogProps = { database: string; revoked: ApiKeyAnswer; isOpen: boolean; onClose: () => void };

export function RevokeKeyDialog({ database, revoked, isOpen, onClose }: RevokeKeyDialogProps) {
  const revoke = useRevokeKey(database);
  const confirm = () =>
    revoke.mutate(revoked.id, {
      onSuccess: ({ name }) => {
        toastDone(`${name} is revoked`);
        onClose();
      },
    });
  return (
    <ConfirmDialog
      isOpen={isOpen}
      onClose={onClose}
      title={`Revoke ${revoked.name}?`}
      action="Revoke"
      isDanger
      isBusy={revoke.isPending}
      error={revoke.error}
      onConfirm={confirm}
    >
      <p>
        Requests with <code className="text-text">{revoked.prefix}…</code> are refused from now on, and its open streams
        end within a second.
      </p>
      <p>This cannot be taken back. If something still uses the key, give it a new one first.</p>
    </ConfirmDialog>
  );
}
