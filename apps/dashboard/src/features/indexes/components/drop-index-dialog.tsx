import type { IndexAnswer } from '@tidewire/protocol/collection-schema';
import { ConfirmDialog } from '../../../components/ui/confirm-dialog.js';
import { toastDone } from '../../../components/ui/toaster.js';
import { useDropIndex } from '../drop-index.js';

type DropIndexDialogProps = {
  database: string;
  collection: string;
  dropped: IndexAnswer;
  isOpen: boolean;
  onClose: () => void;
};

export function DropIndexDialog({ database, collection, dropped, isOpen, onClose }: DropIndexDialogProps) {
  const drop = useDropIndex(database, collection);
  const isUnique = 'fields' in dropped.definition && dropped.definition.unique;
  const confirm = () =>
    drop.mutate(dropped.name, {
      onSuccess: ({ name }) => {
        toastDone(`${name} is being dropped`);
        onClose();
      },
    });
  return (
    <ConfirmDialog
      isOpen={isOpen}
      onClose={onClose}
      title={`Drop the index ${dropped.name}?`}
      action="Drop index"
      isDanger
      isBusy={drop.isPending}
      error={drop.error}
      onConfirm={confirm}
    >
      <p>Queries that rely on it become slow, or are stopped when they take too long. No document changes.</p>
      {isUnique ? <p>From then on two documents may have the same value.</p> : null}
    </ConfirmDialog>
  );
}
