import { renameCollectionRequestSchema } from '@tidewire/protocol/admin-api';
import { Dialog } from '../../../components/ui/dialog.js';
import { DialogForm } from '../../../components/ui/dialog-form.js';
import { Field } from '../../../components/ui/field.js';
import { checkedSubmit } from '../../../lib/form/checked-submit.js';
import { focusFirstError } from '../../../lib/form/focus-first-error.js';
import { useSchemaForm } from '../../../lib/form/use-schema-form.js';
import { useCreateCollection } from '../create-collection.js';

type CreateCollectionDialogProps = {
  database: string;
  isOpen: boolean;
  onClose: () => void;
  onCreated: (name: string) => void;
};

export function CreateCollectionDialog({ isOpen, onClose, ...rest }: CreateCollectionDialogProps) {
  return (
    <Dialog
      isOpen={isOpen}
      onClose={onClose}
      title="New collection"
      description="It begins empty and takes any JSON object until it gets a schema."
      width="sm"
    >
      <CreateCollectionForm {...rest} onClose={onClose} />
    </Dialog>
  );
}

function CreateCollectionForm({ database, onClose, onCreated }: Omit<CreateCollectionDialogProps, 'isOpen'>) {
  const form = useSchemaForm(renameCollectionRequestSchema, { name: '' });
  const create = useCreateCollection(database);
  const isTaken = create.data?.isNew === false && create.data.name === form.values.name;

  const submit = checkedSubmit(form, (request, element) =>
    create.mutate(request.name, {
      onSuccess: ({ name, isNew }) => (isNew ? onCreated(name) : focusFirstError(element)),
      onError: form.takeRefusal,
    }),
  );

  return (
    <DialogForm
      onSubmit={submit}
      onCancel={onClose}
      action="Create collection"
      isBusy={create.isPending}
      error={create.error}
    >
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
    </DialogForm>
  );
}
