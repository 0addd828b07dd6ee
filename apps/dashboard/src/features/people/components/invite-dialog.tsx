import { adminRoleSchema, type CreatedInviteAnswer, createInviteRequestSchema } from '@tidewire/protocol/admins';
import { useState } from 'react';
import { Button } from '../../../components/ui/button.js';
import { Dialog, DialogBody, DialogFooter } from '../../../components/ui/dialog.js';
import { DialogForm } from '../../../components/ui/dialog-form.js';
import { Field } from '../../../components/ui/field.js';
import { Select } from '../../../components/ui/select.js';
import { ShownOnce } from '../../../components/ui/shown-once.js';
import { checkedSubmit } from '../../../lib/form/checked-submit.js';
import { useSchemaForm } from '../../../lib/form/use-schema-form.js';
import { useCreateInvite } from '../create-invite.js';
import { roleOptions, roleWords } from '../roles.js';

type InviteDialogProps = { isOpen: boolean; onClose: () => void };

/** First the form, then the link, shown once. */
export function InviteDialog({ isOpen, onClose }: InviteDialogProps) {
  const [created, setCreated] = useState<CreatedInviteAnswer | null>(null);
  return (
    <Dialog
      isOpen={isOpen}
      onClose={onClose}
      onClosed={() => setCreated(null)}
      title={created ? 'Invitation made' : 'Invite somebody'}
      description={created ? 'Send this link: it is not shown again.' : 'The link is good once, for seven days.'}
      width="sm"
      isUrgent={created !== null}
    >
      {created ? (
        <CreatedInvite created={created} onDone={onClose} />
      ) : (
        <InviteForm onClose={onClose} onCreated={setCreated} />
      )}
    </Dialog>
  );
}

type InviteFormProps = { onClose: () => void; onCreated: (created: CreatedInviteAnswer) => void };

function InviteForm({ onClose, onCreated }: InviteFormProps) {
  const form = useSchemaForm(createInviteRequestSchema, { email: '', role: 'editor' });
  const create = useCreateInvite();

  const submit = checkedSubmit(form, (request) =>
    create.mutate(request, { onSuccess: onCreated, onError: form.takeRefusal }),
  );

  return (
    <DialogForm
      onSubmit={submit}
      onCancel={onClose}
      action="Make invitation"
      isBusy={create.isPending}
      error={create.error}
    >
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
      </div>
    </DialogForm>
  );
}

function CreatedInvite({ created, onDone }: { created: CreatedInviteAnswer; onDone: () => void }) {
  const link = `${window.location.origin}/invite?token=${created.token}`;
  return (
    <>
      <DialogBody>
        <ShownOnce
          label={`Link for ${created.email}`}
          text={link}
          what="link"
          hint={`Whoever has it becomes ${roleWords[created.role].label.toLowerCase()} here.`}
        />
      </DialogBody>
      <DialogFooter>
        <Button variant="primary" onClick={onDone}>
          Done
        </Button>
      </DialogFooter>
    </>
  );
}
