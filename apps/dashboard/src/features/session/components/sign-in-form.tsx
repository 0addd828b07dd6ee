import { signInRequestSchema } from '@tidewire/protocol/admin-api';
import { useState } from 'react';
import { Button } from '../../../components/ui/button.js';
import { ErrorNote } from '../../../components/ui/error-state.js';
import { Field } from '../../../components/ui/field.js';
import { ApiError } from '../../../lib/api-error.js';
import { checkedSubmit } from '../../../lib/form/checked-submit.js';
import { useSchemaForm } from '../../../lib/form/use-schema-form.js';
import { useSignIn } from '../sign-in.js';

/** The code is asked for when the password was right and the account has one. */
export function SignInForm({ onSignedIn }: { onSignedIn: () => void }) {
  const form = useSchemaForm(signInRequestSchema, { email: '', password: '' });
  const [code, setCode] = useState<string | null>(null);
  const signIn = useSignIn();
  const asksForCode = isCodeNeeded(signIn.error);

  const submit = checkedSubmit(form, (request) =>
    signIn.mutate(code === null ? request : { ...request, code }, {
      onSuccess: onSignedIn,
      onError: (error) => {
        if (isCodeNeeded(error)) setCode('');
        form.takeRefusal(error);
      },
    }),
  );

  /** A code belongs to the account that it was asked for. */
  function setField(field: 'email' | 'password', value: string) {
    setCode(null);
    form.set(field, value);
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
        onChange={(event) => setField('email', event.target.value)}
      />
      <Field
        label="Password"
        type="password"
        name="password"
        autoComplete="current-password"
        value={form.values.password}
        error={form.errors.password}
        onChange={(event) => setField('password', event.target.value)}
      />
      {code === null ? null : (
        <Field
          label="Code"
          name="code"
          inputMode="text"
          autoComplete="one-time-code"
          autoFocus
          hint="The six digits of your authenticator, or a recovery code."
          value={code}
          onChange={(event) => setCode(event.target.value)}
        />
      )}
      {signIn.error && !asksForCode ? <ErrorNote error={signIn.error} /> : null}
      <Button type="submit" variant="primary" isBusy={signIn.isPending} className="mt-1">
        Sign in
      </Button>
    </form>
  );
}

function isCodeNeeded(error: unknown): boolean {
  return error instanceof ApiError && error.code === 'code_needed';
}
