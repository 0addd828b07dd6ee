import { renameCollectionRequestSchema } from '@tidewire/protocol/admin-api';
import { type FormEvent, useState } from 'react';
import { Button } from '../../../components/ui/button.js';
import { Dialog, DialogBody, DialogFooter } from '../../../components/ui/dialog.js';
import { ErrorNote } from '../../../components/ui/error-state.js';
import { Field } from '../../../components/ui/field.js';
import { focusFirstError } from '../../../lib/form/focus-first-error.js';
import { useSchemaForm } from '../../../lib/form/use-schema-form.js';
import { useCreateCollection } from '../create-collection.js';

type CreateCollectionDialogProps = {
  database: string;
  isOpen: boolean;
  onClose: () => void;
  onCreated: (name: string) => void;
};

/** What was typed is forgotten when the dialog has closed. */
export function CreateCollectionDialog({ isOpen, onClose, ...rest }: CreateCollectionDialogProps) {
  const [round, setRound] = useState(0);
  return (
    <Dialog
      isOpen={isOpen}
      onClose={onClose}
      onClosed={() => setRound((before) => before + 1)}
      title="New collection"
      description="It begins empty and takes any JSON object until it gets a schema."
      width="sm"
    >
      <CreateCollectionForm key={round} {...rest} onClose={onClose} />
    </Dialog>
  );
}

function CreateCollectionForm({ database, onClose, onCreated }: Omit<CreateCollectionDialogProps, 'isOpen'>) {
  const form = useSchemaForm(renameCollectionRequestSchema, { name: '' });
  const create = useCreateCollection(database);
  const isTaken = create.data?.isNew === false && create.data.name === form.values.name;

  function submit(event: FormEvent<HTMLFormElement>) {
    event.preventDefault();
    const element = event.currentTarget;
    const request = form.check();
    if (!request) return focusFirstError(element);
    create.mutate(request.name, {
      onSuccess: ({ name, isNew }) => (isNew ? onCreated(name) : focusFirstError(element)),
      onError: form.takeRefusal,
    });
  }

  return (
    <form noValidate onSubmit={submit} className="flex min-h-0 flex-1 flex-col">
      <DialogBody>
        <Field
          label="Name"
          name="name"
          autoComplete="off"
          autoCapitalize="off"
          spellCheck={false}
          maxLength={63}
          placeholder="orders"
          hint="A letter, then letters, digits, _ and -. It stands in the URL: /rest/orders"
          value={form.values.name}
          error={isTaken ? 'There is a collection with this name already.' : form.errors.name}
          onChange={(event) => form.set('name', event.target.value)}
        />
        {create.error ? <ErrorNote error={create.error} className="mt-4" /> : null}
      </DialogBody>
      <DialogFooter>
        <Button onClick={onClose}>Cancel</Button>
        <Button type="submit" variant="primary" isBusy={create.isPending}>
          Create collection
        </Button>
      </DialogFooter>
    </form>
  );
}
