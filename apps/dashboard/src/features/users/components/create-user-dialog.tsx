import { type CreatedUserAnswer, createUserRequestSchema } from '@tidewire/protocol/auth-api';
import { useState } from 'react';
import { Button } from '../../../components/ui/button.js';
import { Dialog, DialogBody, DialogFooter } from '../../../components/ui/dialog.js';
import { DialogForm } from '../../../components/ui/dialog-form.js';
import { Field } from '../../../components/ui/field.js';
import { checkedSubmit } from '../../../lib/form/checked-submit.js';
import { useSchemaForm } from '../../../lib/form/use-schema-form.js';
import { useCreateUser } from '../create-user.js';
import { ResetToken } from './reset-token.js';

type CreateUserDialogProps = { database: string; isOpen: boolean; onClose: () => void };

/** First the form, then the token with which the person sets a password. */
export function CreateUserDialog({ database, isOpen, onClose }: CreateUserDialogProps) {
  const [created, setCreated] = useState<CreatedUserAnswer | null>(null);
  return (
    <Dialog
      isOpen={isOpen}
      onClose={onClose}
      onClosed={() => setCreated(null)}
      title={created ? 'User created' : 'Create user'}
      description={
        created
          ? `${created.email} has an account. Copy the token now: it is not shown again.`
          : 'An account, and a document in the collection users.'
      }
      isUrgent={created !== null}
    >
      {created?.reset ? (
        <>
          <DialogBody>
            <ResetToken reset={created.reset} />
          </DialogBody>
          <DialogFooter>
            <Button variant="primary" onClick={onClose}>
              Done
            </Button>
          </DialogFooter>
        </>
      ) : (
        <CreateUserForm database={database} onClose={onClose} onCreated={setCreated} />
      )}
    </Dialog>
  );
}

type CreateUserFormProps = { database: string; onClose: () => void; onCreated: (created: CreatedUserAnswer) => void };

function CreateUserForm({ database, onClose, onCreated }: CreateUserFormProps) {
  const form = useSchemaForm(createUserRequestSchema, { email: '' });
  const create = useCreateUser(database);

  const submit = checkedSubmit(form, (request) =>
    create.mutate(request, { onSuccess: onCreated, onError: form.takeRefusal }),
  );

  return (
    <DialogForm
      onSubmit={submit}
      onCancel={onClose}
      action="Create user"
      isBusy={create.isPending}
      error={create.error}
    >
      <div className="flex flex-col gap-5">
        <Field
          label="Email"
          type="email"
          autoComplete="off"
          value={form.values.email}
          error={form.errors.email}
          onChange={({ target }) => form.set('email', target.value)}
        />
        <Field
          label="Role"
          hint="Empty: the default role of the settings."
          autoComplete="off"
          value={form.values.role ?? ''}
          error={form.errors.role}
          onChange={({ target }) => form.set('role', target.value === '' ? undefined : target.value)}
        />
      </div>
    </DialogForm>
  );
}
