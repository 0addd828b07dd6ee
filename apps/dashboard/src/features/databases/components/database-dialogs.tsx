import { createDatabaseRequestSchema, type DatabaseAnswer } from '@tidewire/protocol/admin-api';
import { type FormEvent, useState } from 'react';
import { Dialog } from '../../../components/ui/dialog.js';
import { DialogForm } from '../../../components/ui/dialog-form.js';
import { Field } from '../../../components/ui/field.js';
import { toastDone } from '../../../components/ui/toaster.js';
import { checkedSubmit } from '../../../lib/form/checked-submit.js';
import { useSchemaForm } from '../../../lib/form/use-schema-form.js';
import { useCreateDatabase } from '../create-database.js';
import { useDeleteDatabase } from '../delete-database.js';
import { useRenameDatabase } from '../rename-database.js';

type DialogState = { isOpen: boolean; onClose: () => void };
type DatabaseFormProps = { database: DatabaseAnswer; onClose: () => void };

export function CreateDatabaseDialog({ isOpen, onClose }: DialogState) {
  return (
    <Dialog
      isOpen={isOpen}
      onClose={onClose}
      title="New database"
      description="It has its own collections, keys, users, settings and event log; nothing is shared."
      width="sm"
    >
      <CreateForm onClose={onClose} />
    </Dialog>
  );
}

export function RenameDatabaseDialog({ database, isOpen, onClose }: DialogState & { database: DatabaseAnswer }) {
  return (
    <Dialog
      isOpen={isOpen}
      onClose={onClose}
      title={`Rename ${database.name}`}
      description="Keys stay good and streams stay open. Paths of the admin API and commands need the new name."
      width="sm"
    >
      <RenameForm database={database} onClose={onClose} />
    </Dialog>
  );
}

function CreateForm({ onClose }: Pick<DialogState, 'onClose'>) {
  return <NameForm name="" action="Create database" onClose={onClose} mutation={useCreateDatabase()} />;
}

function RenameForm({ database: { name }, onClose }: DatabaseFormProps) {
  return <NameForm name={name} action="Rename" onClose={onClose} mutation={useRenameDatabase(name)} />;
}

type NameFormProps = {
  name: string;
  action: string;
  onClose: () => void;
  mutation: ReturnType<typeof useCreateDatabase>;
};

function NameForm({ name, action, onClose, mutation }: NameFormProps) {
  const form = useSchemaForm(createDatabaseRequestSchema, { name });

  const submit = checkedSubmit(form, (request) =>
    mutation.mutate(request, {
      onSuccess: (database) => {
        toastDone(name === '' ? `${database.name} is there` : `${name} is ${database.name} now`);
        onClose();
      },
      onError: form.takeRefusal,
    }),
  );

  return (
    <DialogForm
      onSubmit={submit}
      onCancel={onClose}
      action={action}
      isBusy={mutation.isPending}
      isDisabled={form.values.name === name && name !== ''}
      error={mutation.error}
    >
      <Field
        label="Name"
        name="name"
        autoComplete="off"
        autoCapitalize="off"
        spellCheck={false}
        maxLength={63}
        placeholder="shop"
        hint="A lower-case letter, then letters, digits, _ and -."
        value={form.values.name}
        error={form.errors.name}
        onChange={(event) => form.set('name', event.target.value)}
      />
    </DialogForm>
  );
}

/** Asks for the name. How far the deletion is stands in the list. */
export function DeleteDatabaseDialog({ database, isOpen, onClose }: DialogState & { database: DatabaseAnswer }) {
  return (
    <Dialog isOpen={isOpen} onClose={onClose} title={`Delete ${database.name}?`} width="sm" isUrgent>
      <DeleteForm database={database} onClose={onClose} />
    </Dialog>
  );
}

function DeleteForm({ database, onClose }: DatabaseFormProps) {
  const [typed, setTyped] = useState('');
  const remove = useDeleteDatabase(database.name);
  const isConfirmed = typed === database.name;

  function submit(event: FormEvent<HTMLFormElement>) {
    event.preventDefault();
    if (!isConfirmed || remove.isPending) return;
    remove.mutate(typed, {
      onSuccess: () => {
        toastDone(`${database.name} is being deleted`);
        onClose();
      },
    });
  }

  return (
    <DialogForm
      onSubmit={submit}
      onCancel={onClose}
      action="Delete database"
      isDanger
      isBusy={remove.isPending}
      isDisabled={!isConfirmed}
      error={remove.error}
    >
      <div className="flex flex-col gap-4 text-sm text-muted">
        <p>
          All of its keys end at once, with their open streams. Then every document and every event is deleted, and its
          users, roles and settings with them. This cannot be taken back.
        </p>
        <Field
          label={`Type ${database.name} to confirm`}
          name="confirm"
          autoComplete="off"
          autoCapitalize="off"
          spellCheck={false}
          value={typed}
          onChange={(event) => setTyped(event.target.value)}
          className="text-text"
        />
      </div>
    </DialogForm>
  );
}
