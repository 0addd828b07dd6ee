import { acceptInviteRequestSchema } from '@tidewire/protocol/admins';
import { Button } from '../../../components/ui/button.js';
import { ErrorNote } from '../../../components/ui/error-state.js';
import { Field } from '../../../components/ui/field.js';
import { checkedSubmit } from '../../../lib/form/checked-submit.js';
import { useSchemaForm } from '../../../lib/form/use-schema-form.js';
import { useAcceptInvite } from '../accept-invite.js';

export function AcceptInviteForm({ token, onAccepted }: { token: string; onAccepted: () => void }) {
  const form = useSchemaForm(acceptInviteRequestSchema, { token, password: '' });
  const accept = useAcceptInvite();

  const submit = checkedSubmit(form, (request) =>
    accept.mutate(request, { onSuccess: onAccepted, onError: form.takeRefusal }),
  );

  return (
    <form noValidate onSubmit={submit} className="flex flex-col gap-4">
      <Field
        label="Password"
        type="password"
        name="password"
        autoComplete="new-password"
        autoFocus
        hint="At least 10 characters. A few words in a row are easy to remember and hard to guess."
        value={form.values.password}
        error={form.errors.password}
        onChange={(event) => form.set('password', event.target.value)}
      />
      {accept.error ? <ErrorNote error={accept.error} /> : null}
      <Button type="submit" variant="primary" isBusy={accept.isPending} className="mt-1">
        Accept invitation
      </Button>
    </form>
  );
}
