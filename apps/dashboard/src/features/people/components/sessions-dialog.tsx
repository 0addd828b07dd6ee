import { useQuery } from '@tanstack/react-query';
import type { AdminPerson } from '@tidewire/protocol/admins';
import { SessionsTable } from '../../../components/sessions-table.js';
import { Button } from '../../../components/ui/button.js';
import { Dialog, DialogBody, DialogFooter } from '../../../components/ui/dialog.js';
import { toastDone, toastFailed } from '../../../components/ui/toaster.js';
import { useEndSessionOf } from '../end-session.js';
import { sessionsOfQuery } from '../queries.js';

type SessionsDialogProps = { person: AdminPerson; isOpen: boolean; onClose: () => void };

export function SessionsDialog({ person, isOpen, onClose }: SessionsDialogProps) {
  const { data, error, refetch } = useQuery(sessionsOfQuery(person.id));
  const end = useEndSessionOf(person.id);
  return (
    <Dialog isOpen={isOpen} onClose={onClose} title={`Sessions of ${person.email}`} width="lg">
      <DialogBody>
        <SessionsTable
          sessions={data}
          error={error}
          onRetry={() => void refetch()}
          onEnd={({ id }) =>
            end.mutate(id, {
              onSuccess: () => toastDone('The session has ended'),
              onError: (refusal) => toastFailed('The session goes on', refusal.message),
            })
          }
        />
      </DialogBody>
      <DialogFooter>
        <Button variant="primary" onClick={onClose}>
          Done
        </Button>
      </DialogFooter>
    </Dialog>
  );
}
