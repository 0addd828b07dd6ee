import { ConfirmDialog } from '../../../components/ui/confirm-dialog.js';
import { toastDone } from '../../../components/ui/toaster.js';
import { useRemoveSchema } from '../remove-schema.js';

type RemoveSchemaDialogProps = {
  database: string;
  collection: string;
  isOpen: boolean;
  onClose: () => void;
  onRemoved: () => void;
};

export function RemoveSchemaDialog({ database, collection, isOpen, onClose, onRemoved }: RemoveSchemaDialogProps) {
  const remove = useRemoveSchema(database, collection);
  const confirm = () =>
    remove.mutate(undefined, {
      onSuccess: () => {
        toastDone('The schema is removed');
        onRemoved();
        onClose();
      },
    });
  return (
    <ConfirmDialog
      isOpen={isOpen}
      onClose={onClose}
      title={`Remove the schema of ${collection}?`}
      action="Remove schema"
      isDanger
      isBusy={remove.isPending}
      error={remove.error}
      onConfirm={confirm}
    >
      <p>
        The collection takes any JSON object from then on. Its documents stay as they are; unique fields are no longer
        unique, and nothing is filled in or computed any more.
      </p>
    </ConfirmDialog>
  );
}
