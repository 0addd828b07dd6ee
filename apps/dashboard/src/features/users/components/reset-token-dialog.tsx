import type { UserAccountAnswer } from '@tidewire/protocol/auth-api';
import { Button } from '../../../components/ui/button.js';
import { Dialog, DialogBody, DialogFooter } from '../../../components/ui/dialog.js';
import { ErrorNote } from '../../../components/ui/error-state.js';
import { useCreateResetToken } from '../create-reset-token.js';
import { ResetToken } from './reset-token.js';

type ResetTokenDialogProps = { database: string; user: UserAccountAnswer; isOpen: boolean; onClose: () => void };

/** First the question, then the token. */
export function ResetTokenDialog({ database, user, isOpen, onClose }: ResetTokenDialogProps) {
  const create = useCreateResetToken(database);
  return (
    <Dialog
      isOpen={isOpen}
      onClose={onClose}
      onClosed={create.reset}
      title={create.data ? 'Copy the token' : 'Make a reset token?'}
      description={create.data ? 'It is not shown again.' : undefined}
      isUrgent
    >
      <DialogBody>
        {create.data ? (
          <ResetToken reset={create.data} />
        ) : (
          <p className="text-sm text-muted">
            With it <strong className="font-medium text-text">{user.email}</strong> sets a new password. All sessions
            end when that is done.
          </p>
        )}
        {create.error ? <ErrorNote error={create.error} className="mt-4" /> : null}
      </DialogBody>
      <DialogFooter>
        {create.data ? (
          <Button variant="primary" onClick={onClose}>
            Done
          </Button>
        ) : (
          <>
            <Button onClick={onClose}>Cancel</Button>
            <Button variant="primary" isBusy={create.isPending} onClick={() => create.mutate(user.id)}>
              Make token
            </Button>
          </>
        )}
      </DialogFooter>
    </Dialog>
  );
}
