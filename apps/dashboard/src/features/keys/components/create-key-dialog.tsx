import type { CreatedKeyAnswer } from '@tidewire/protocol/admin-api';
import { type FormEvent, useState } from 'react';
import { Button } from '../../../components/ui/button.js';
import { Dialog, DialogBody, DialogFooter } from '../../../components/ui/dialog.js';
import { ErrorNote } from '../../../components/ui/error-state.js';
import { focusFirstError } from '../../../lib/form/focus-first-error.js';
import { useCreateKey } from '../create-key.js';
import { useKeyForm } from '../use-key-form.js';
import { CreatedKey } from './created-key.js';
import { KeyFields } from './key-fields.js';

type CreateKeyDialogProps = { database: string; collections: readonly string[]; isOpen: boolean; onClose: () => void };

/** First the form, then the key, shown once. Everything is forgotten when the dialog has closed. */
export function CreateKeyDialog({ isOpen, onClose, ...rest }: CreateKeyDialogProps) {
  const [created, setCreated] = useState<CreatedKeyAnswer | null>(null);
  const [round, setRound] = useState(0);
  return (
    <Dialog
      isOpen={isOpen}
      onClose={onClose}
      onClosed={() => {
        setCreated(null);
        setRound((before) => before + 1);
      }}
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
        <CreateKeyForm key={round} {...rest} onClose={onClose} onCreated={setCreated} />
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

  function submit(event: FormEvent<HTMLFormElement>) {
    event.preventDefault();
    const request = form.check();
    if (!request) return focusFirstError(event.currentTarget);
    create.mutate(request, { onSuccess: onCreated, onError: form.takeRefusal });
  }

  return (
    <form noValidate onSubmit={submit} className="flex min-h-0 flex-1 flex-col">
      <DialogBody>
        <KeyFields form={form} collections={collections} />
        {create.error ? <ErrorNote error={create.error} className="mt-5" /> : null}
      </DialogBody>
      <DialogFooter>
        <Button onClick={onClose}>Cancel</Button>
        <Button type="submit" variant="primary" isBusy={create.isPending}>
          Create key
        </Button>
      </DialogFooter>
    </form>
  );
}
