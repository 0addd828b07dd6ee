import type { ApiKeyAnswer } from '@tidewire/protocol/admin-api';
import type { FormEvent } from 'react';
import { Button } from '../../../components/ui/button.js';
import { Dialog, DialogBody, DialogFooter } from '../../../components/ui/dialog.js';
import { ErrorNote } from '../../../components/ui/error-state.js';
import { toastDone } from '../../../components/ui/toaster.js';
import { focusFirstError } from '../../../lib/form/focus-first-error.js';
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

  function submit(event: FormEvent<HTMLFormElement>) {
    event.preventDefault();
    const request = form.check();
    if (!request) return focusFirstError(event.currentTarget);
    update.mutate(
      { id: edited.id, ...request },
      {
        onSuccess: ({ name }) => {
          toastDone(`${name} is saved`);
          onClose();
        },
        onError: form.takeRefusal,
      },
    );
  }

  return (
    <form noValidate onSubmit={submit} className="flex min-h-0 flex-1 flex-col">
      <DialogBody>
        <KeyFields form={form} collections={collections} />
        {update.error ? <ErrorNote error={update.error} className="mt-5" /> : null}
      </DialogBody>
      <DialogFooter>
        <Button onClick={onClose}>Cancel</Button>
        <Button type="submit" variant="primary" isBusy={update.isPending}>
          Save
        </Button>
      </DialogFooter>
    </form>
  );
}
