import type { ApiKeyAnswer } from '@tidewire/protocol/admin-api';
import { Dialog } from '../../../components/ui/dialog.js';
import { DialogForm } from '../../../components/ui/dialog-form.js';
import { toastDone } from '../../../components/ui/toaster.js';
import { checkedSubmit } from '../../../lib/form/checked-submit.js';
import { useUpdateKey } from '../update-key.js';
import { useKeyForm } from '../use-key-form.js';
import { KeyFields } from './key-fields.js';

type EditKeyDialogProps = {
  database: string;
  collections: readonly string[];
  edited: ApiKeyAnswer;
  isOpen: boolean;
  onClose: () => void;
};

export function EditKeyDialog({ isOpen, onClose, ...rest }: EditKeyDialogProps) {
  return (
    <Dialog
      isOpen={isOpen}
      onClose={onClose}
      title="Edit key"
      description="A change takes hold within a second, on streams that are already open too."
      width="lg"
    >
      <EditKeyForm {...rest} onClose={onClose} />
    </Dialog>
  );
}

function EditKeyForm({ database, collections, edited, onClose }: Omit<EditKeyDialogProps, 'isOpen'>) {
  const form = useKeyForm(edited);
  const update = useUpdateKey(database);

  const submit = checkedSubmit(form, (request) =>
    update.mutate(
      { id: edited.id, ...request },
      {
        onSuccess: ({ name }) => {
          toastDone(`${name} is saved`);
          onClose();
        },
        onError: form.takeRefusal,
      },
    ),
  );

  return (
    <DialogForm onSubmit={submit} onCancel={onClose} action="Save" isBusy={update.isPending} error={update.error}>
      <KeyFields form={form} collections={collections} />
    </DialogForm>
  );
}
