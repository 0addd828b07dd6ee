import { signInRequestSchema } from '@tidewire/protocol/admin-api';
import type { FormEvent } from 'react';
import { Button } from '../../../components/ui/button.js';
import { ErrorNote } from '../../../components/ui/error-state.js';
import { Field } from '../../../components/ui/field.js';
import { focusFirstError } from '../../../lib/form/focus-first-error.js';
import { useSchemaForm } from '../../../lib/form/use-schema-form.js';
import { useSignIn } from '../sign-in.js';

export function SignInForm({ onSignedIn }: { onSignedIn: () => void }) {
  const form = useSchemaForm(signInRequestSchema, { email: '', password: '' });
  const signIn = useSignIn();

  function submit(event: FormEvent<HTMLFormElement>) {
    event.preventDefault();
    const request = form.check();
    if (!request) return focusFirstError(event.currentTarget);
    signIn.mutate(request, { onSuccess: onSignedIn, onError: form.takeRefusal });
  }

  return (
    <form noValidate onSubmit={submit} className="flex flex-col gap-4">
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
        autoComplete="current-password"
        value={form.values.password}
        error={form.errors.password}
        onChange={(event) => form.set('password', event.target.value)}
      />
      {signIn.error ? <ErrorNote error={signIn.error} /> : null}
      <Button type="submit" variant="primary" isBusy={signIn.isPending} className="mt-1">
        Sign in
      </Button>
    </form>
  );
}
