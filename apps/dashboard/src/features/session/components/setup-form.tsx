import { setupRequestSchema } from '@tidewire/protocol/admin-api';
import { Button } from '../../../components/ui/button.js';
import { ErrorNote } from '../../../components/ui/error-state.js';
import { Field } from '../../../components/ui/field.js';
import { checkedSubmit } from '../../../lib/form/checked-submit.js';
import { useSchemaForm } from '../../../lib/form/use-schema-form.js';
import { useCreateFirstAdmin } from '../create-first-admin.js';

/** The first admin. A token that came with the link is not shown; without one it is asked for. */
export function SetupForm({ token, onCreated }: { token: string | undefined; onCreated: () => void }) {
  const form = useSchemaForm(setupRequestSchema, { token: token ?? '', email: '', password: '' });
  const create = useCreateFirstAdmin();

  const submit = checkedSubmit(form, (request) =>
    create.mutate(request, { onSuccess: onCreated, onError: form.takeRefusal }),
  );

  return (
    <form noValidate onSubmit={submit} className="flex flex-col gap-4">
      {token === undefined ? (
        <Field
          label="Setup token"
          name="token"
          autoComplete="off"
          spellCheck={false}
          hint="The server prints a link with it when it starts for the first time."
          value={form.values.token}
          error={form.errors.token}
          onChange={(event) => form.set('token', event.target.value)}
        />
      ) : null}
      <Field
        label="Email"
        type="email"
        name="email"
        autoComplete="username"
        autoFocus
        value={form.values.email}
        error={form.errors.email}
        onChange={(event) => form.set('email', event.target.value)}
      />
      <Field
        label="Password"
        type="password"
        name="password"
        autoComplete="new-password"
        hint="At least 10 characters. A few words in a row are easy to remember and hard to guess."
        value={form.values.password}
        error={form.errors.password}
        onChange={(event) => form.set('password', event.target.value)}
      />
      {create.error ? <ErrorNote error={create.error} /> : null}
      <Button type="submit" variant="primary" isBusy={create.isPending} className="mt-1">
        Create admin
      </Button>
    </form>
  );
}
