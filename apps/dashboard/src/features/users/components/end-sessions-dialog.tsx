import type { UserAccountAnswer } from '@tidewire/protocol/auth-api';
import { ConfirmDialog } from '../../../components/ui/confirm-dialog.js';
import { toastDone } from '../../../components/ui/toaster.js';
import { useEndUserSessions } from '../end-user-sessions.js';

type EndSessionsDialogProps = { database: string; user: UserAccountAnswer; isOpen: boolean; onClose: () => void };

export function EndSessionsDialog({ database, user, isOpen, onClose }: EndSessionsDialogProps) {
  const end = useEndUserSessions(database);
  const confirm = () =>
    end.mutate(user.id, {
      onSuccess: () => {
        toastDone(`${user.email} is signed out`);
        onClose();
      },
    });
  return (
    <ConfirmDialog
      isOpen={isOpen}
      onClose={onClose}
      title="End all sessions?"
      action="End sessions"
      isDanger
      isBusy={end.isPending}
      error={end.error}
      onConfirm={confirm}
    >
      <p>
        <strong className="font-medium text-text">{user.email}</strong> is signed out everywhere within a second. Open
        streams end.
      </p>
      <p>The account stays, and its password: whoever knows it can sign in again.</p>
    </ConfirmDialog>
  );
}
