import { changePasswordRequestSchema } from '@tidewire/protocol/admins';
import { useState } from 'react';
import { Button } from '../../../components/ui/button.js';
import { ErrorNote } from '../../../components/ui/error-state.js';
import { Field } from '../../../components/ui/field.js';
import { Panel } from '../../../components/ui/panel.js';
import { toastDone } from '../../../components/ui/toaster.js';
import { checkedSubmit } from '../../../lib/form/checked-submit.js';
import { useSchemaForm } from '../../../lib/form/use-schema-form.js';
import { useChangePassword } from '../change-password.js';

export function PasswordPanel() {
  const [round, setRound] = useState(0);
  return (
    <Panel title="Password" description="Your other sessions end when it changes.">
      <PasswordForm key={round} onChanged={() => setRound((before) => before + 1)} />
    </Panel>
  );
}

function PasswordForm({ onChanged }: { onChanged: () => void }) {
  const form = useSchemaForm(changePasswordRequestSchema, { password: '', newPassword: '' });
  const change = useChangePassword();

  const submit = checkedSubmit(form, (request) =>
    change.mutate(request, {
      onSuccess: () => {
        toastDone('The password is changed');
        onChanged();
      },
      onError: form.takeRefusal,
    }),
  );

  return (
    <form noValidate onSubmit={submit} className="flex max-w-96 flex-col gap-4">
      <Field
        label="Present password"
        type="password"
        name="password"
        autoComplete="current-password"
        value={form.values.password}
        error={form.errors.password}
        onChange={(event) => form.set('password', event.target.value)}
      />
      <Field
        label="New password"
        type="password"
        name="newPassword"
        autoComplete="new-password"
        hint="At least 10 characters."
        value={form.values.newPassword}
        error={form.errors.newPassword}
        onChange={(event) => form.set('newPassword', event.target.value)}
      />
      {change.error ? <ErrorNote error={change.error} /> : null}
      <Button type="submit" isBusy={change.isPending} className="self-start">
        Change password
      </Button>
    </form>
  );
}
