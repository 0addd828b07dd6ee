import { adminRoleSchema, type CreatedInviteAnswer, createInviteRequestSchema } from '@tidewire/protocol/admins';
import { type FormEvent, useId, useState } from 'react';
import { Button } from '../../../components/ui/button.js';
import { CopyButton } from '../../../components/ui/copy-button.js';
import { Dialog, DialogBody, DialogFooter } from '../../../components/ui/dialog.js';
import { ErrorNote } from '../../../components/ui/error-state.js';
import { Field, inputClasses } from '../../../components/ui/field.js';
import { Select } from '../../../components/ui/select.js';
import { focusFirstError } from '../../../lib/form/focus-first-error.js';
import { useSchemaForm } from '../../../lib/form/use-schema-form.js';
import { useCreateInvite } from '../create-invite.js';
import { roleOptions, roleWords } from '../roles.js';

type InviteDialogProps = { isOpen: boolean; onClose: () => void };

/** First the form, then the link, shown once. */
export function InviteDialog({ isOpen, onClose }: InviteDialogProps) {
  const [created, setCreated] = useState<CreatedInviteAnswer | null>(null);
  const [round, setRound] = useState(0);
  return (
    <Dialog
      isOpen={isOpen}
      onClose={onClose}
      onClosed={() => {
        setCreated(null);
        setRound((before) => before + 1);
      }}
      title={created ? 'Invitation made' : 'Invite somebody'}
      description={created ? 'Send this link: it is not shown again.' : 'The link is good once, for seven days.'}
      width="sm"
      isUrgent={created !== null}
    >
      {created ? (
        <CreatedInvite created={created} onDone={onClose} />
      ) : (
        <InviteForm key={round} onClose={onClose} onCreated={setCreated} />
      )}
    </Dialog>
  );
}

type InviteFormProps = { onClose: () => void; onCreated: (created: CreatedInviteAnswer) => void };

function InviteForm({ onClose, onCreated }: InviteFormProps) {
  const form = useSchemaForm(createInviteRequestSchema, { email: '', role: 'editor' });
  const create = useCreateInvite();

  function submit(event: FormEvent<HTMLFormElement>) {
    event.preventDefault();
    const request = form.check();
    if (!request) return focusFirstError(event.currentTarget);
    create.mutate(request, { onSuccess: onCreated, onError: form.takeRefusal });
  }

  return (
    <form noValidate onSubmit={submit} className="flex min-h-0 flex-1 flex-col">
      <DialogBody>
        <div className="flex flex-col gap-4">
          <Field
            label="Email"
            type="email"
            name="email"
            autoComplete="off"
            value={form.values.email}
            error={form.errors.email}
            onChange={(event) => form.set('email', event.target.value)}
          />
          <div className="flex flex-col gap-1.5">
            <span className="text-sm font-medium">Role</span>
            <Select
              label="Role"
              value={form.values.role}
              options={roleOptions}
              onChange={(value) => form.set('role', adminRoleSchema.parse(value))}
            />
            <p className="text-xs text-muted">May: {roleWords[form.values.role].may}.</p>
          </div>
          {create.error ? <ErrorNote error={create.error} /> : null}
        </div>
      </DialogBody>
      <DialogFooter>
        <Button onClick={onClose}>Cancel</Button>
        <Button type="submit" variant="primary" isBusy={create.isPending}>
          Make invitation
        </Button>
      </DialogFooter>
    </form>
  );
}

function CreatedInvite({ created, onDone }: { created: CreatedInviteAnswer; onDone: () => void }) {
  const id = useId();
  const link = `${window.location.origin}/invite?token=${created.token}`;
  return (
    <>
      <DialogBody>
        <div className="flex flex-col gap-1.5">
          <label htmlFor={id} className="text-sm font-medium">
            Link for {created.email}
          </label>
          <div className="flex flex-wrap gap-2">
            <input
              id={id}
              readOnly
              value={link}
              onFocus={(event) => event.currentTarget.select()}
              className={`${inputClasses} min-w-56 flex-1 border-accent! bg-accent-soft! font-mono text-xs!`}
            />
            <CopyButton text={link} what="link" isWide />
          </div>
          <p className="text-xs text-muted">
            Whoever has it becomes {roleWords[created.role].label.toLowerCase()} here.
          </p>
        </div>
      </DialogBody>
      <DialogFooter>
        <Button variant="primary" onClick={onDone}>
          Done
        </Button>
      </DialogFooter>
    </>
  );
}
