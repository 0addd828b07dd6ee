import { useQuery } from '@tanstack/react-query';
import { authSecretRequestSchema } from '@tidewire/protocol/auth-api';
import { type FormEvent, useState } from 'react';
import { Button } from '../../../components/ui/button.js';
import { ConfirmDialog } from '../../../components/ui/confirm-dialog.js';
import { ErrorNote } from '../../../components/ui/error-state.js';
import { Field } from '../../../components/ui/field.js';
import { Ago } from '../../../components/ui/time.js';
import { toastDone } from '../../../components/ui/toaster.js';
import { authSecretQuery } from '../queries.js';
import { useSetAuthSecret } from '../set-auth-secret.js';

/** The shared secret for tokens signed with HS256, HS384 or HS512: set, never shown. */
export function SecretPanel({ database }: { database: string }) {
  const { data, error } = useQuery(authSecretQuery(database));
  const set = useSetAuthSecret(database);
  const [text, setText] = useState('');
  const [hasTried, setHasTried] = useState(false);
  const [isAsking, setIsAsking] = useState(false);
  const isGood = authSecretRequestSchema.safeParse({ secret: text }).success;

  function save(event: FormEvent) {
    event.preventDefault();
    setHasTried(true);
    if (!isGood) return;
    set.mutate(text, {
      onSuccess: () => {
        setText('');
        setHasTried(false);
        toastDone('The secret is set');
      },
    });
  }

  return (
    <form onSubmit={save} noValidate className="flex flex-col gap-4">
      <p className="text-sm text-muted">
        {data?.isSet && data.changedAt !== null ? (
          <>
            A secret was set <Ago at={data.changedAt} />. It is stored sealed and never shown.
          </>
        ) : (
          'None is set. With an algorithm HS256, HS384 or HS512 it is what the other service signs with.'
        )}
      </p>
      <Field
        label={data?.isSet ? 'Another secret' : 'Secret'}
        type="password"
        autoComplete="off"
        value={text}
        error={hasTried && !isGood ? 'Use 32 to 1024 characters.' : undefined}
        hint="Tokens that were signed with the one before are worth nothing within a second."
        onChange={({ target }) => setText(target.value)}
      />
      {(error ?? set.error) && !isAsking ? <ErrorNote error={error ?? set.error} /> : null}
      <div className="flex flex-wrap gap-2">
        <Button type="submit" isBusy={set.isPending}>
          Set secret
        </Button>
        {data?.isSet ? (
          <Button disabled={set.isPending} onClick={() => setIsAsking(true)}>
            Remove
          </Button>
        ) : null}
      </div>
      <ConfirmDialog
        isOpen={isAsking}
        onClose={() => setIsAsking(false)}
        title="Remove the secret?"
        action="Remove"
        isDanger
        isBusy={set.isPending}
        error={set.error}
        onConfirm={() =>
          set.mutate(null, {
            onSuccess: () => {
              setIsAsking(false);
              toastDone('The secret is removed');
            },
          })
        }
      >
        <p>Tokens that were signed with it are refused within a second, and the streams of their users end.</p>
      </ConfirmDialog>
    </form>
  );
}
