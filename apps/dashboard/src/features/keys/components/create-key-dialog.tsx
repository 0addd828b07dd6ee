import type { CreatedKeyAnswer } from '@tidewire/protocol/admin-api';
import { useState } from 'react';
import { Dialog } from '../../../components/ui/dialog.js';
import { DialogForm } from '../../../components/ui/dialog-form.js';
import { checkedSubmit } from '../../../lib/form/checked-submit.js';
import { useCreateKey } from '../create-key.js';
import { useKeyForm } from '../use-key-form.js';
import { CreatedKey } from './created-key.js';
import { KeyFields } from './key-fields.js';

type CreateKeyDialogProps = { database: string; collections: readonly string[]; isOpen: boolean; onClose: () => void };

/** First the form, then the key, shown once. */
export function CreateKeyDialog({ isOpen, onClose, ...rest }: CreateKeyDialogProps) {
  const [created, setCreated] = useState<CreatedKeyAnswer | null>(null);
  return (
    <Dialog
      isOpen={isOpen}
      onClose={onClose}
      onClosed={() => setCreated(null)}
      title={created ? 'Key created' : 'Create key'}
      description={
        created
          ? 'Copy it now: it is not shown again.'
          : 'A key belongs to this database and may do what its lists say, nothing else.'
      }
      width="lg"
      isUrgent={created !== null}
    >
      {created ? (
        <CreatedKey created={created} onDone={onClose} />
      ) : (
        <CreateKeyForm {...rest} onClose={onClose} onCreated={setCreated} />
      )}
    </Dialog>
  );
}

type CreateKeyFormProps = {
  database: string;
  collections: readonly string[];
  onClose: () => void;
  onCreated: (created: CreatedKeyAnswer) => void;
};

function CreateKeyForm({ database, collections, onClose, onCreated }: CreateKeyFormProps) {
  const form = useKeyForm();
  const create = useCreateKey(database);

  const submit = checkedSubmit(form, (request) =>
    create.mutate(request, { onSuccess: onCreated, onError: form.takeRefusal }),
  );

  return (
    <DialogForm onSubmit={submit} onCancel={onClose} action="Create key" isBusy={create.isPending} error={create.error}>
      <KeyFields form={form} collections={collections} />
    </DialogForm>
  );
}
