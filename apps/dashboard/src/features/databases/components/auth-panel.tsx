import type { DatabaseAnswer } from '@tidewire/protocol/admin-api';
import { type FormEvent, type ReactNode, useId, useState } from 'react';
import { Button } from '../../../components/ui/button.js';
import { ErrorNote } from '../../../components/ui/error-state.js';
import { Field } from '../../../components/ui/field.js';
import { SegmentedChoice } from '../../../components/ui/segmented-choice.js';
import { Switch } from '../../../components/ui/switch.js';
import { toastDone } from '../../../components/ui/toaster.js';
import { focusFirstError } from '../../../lib/form/focus-first-error.js';
import { type AuthFields, fieldsOfAuth, parseAuthFields } from '../auth-form.js';
import { useUpdateSettings } from '../update-settings.js';

type TextField = Exclude<keyof AuthFields, 'rolesFrom' | 'userField'>;

const texts: Record<TextField, { label: string; hint: string; placeholder?: string }> = {
  issuer: { label: 'Issuer', hint: 'iss of its tokens, to the letter.', placeholder: 'https://issuer.example/' },
  audience: { label: 'Audience', hint: 'What must stand in aud.' },
  algorithms: { label: 'Algorithms', hint: 'The only ones that are taken, as in RS256, ES256.' },
  jwksUrl: { label: 'URL of its keys', hint: 'The JWK Set, unless it signs with a secret.', placeholder: 'https://…' },
  rolesClaim: { label: 'Claim of the roles', hint: 'By its name, or by a path with dots.' },
  defaultRole: { label: 'Default role', hint: 'Of users who have none else, and of those who sign up.' },
  origins: { label: 'Origins', hint: 'Pages that may use a token without a key.', placeholder: 'https://app.example' },
  clockToleranceSeconds: { label: 'Clock tolerance', hint: 'Seconds that its clock may be off, at most 60.' },
};

/** Whether people may make accounts by themselves. */
export function SignUpSetting({ database }: { database: DatabaseAnswer }) {
  const id = useId();
  const { signUp, defaultRole } = database.settings.auth;
  const update = useUpdateSettings(database.name);
  const save = (isOn: boolean) =>
    update.mutate(
      { auth: { signUp: isOn } },
      { onSuccess: () => toastDone(isOn ? 'People may sign up' : 'Nobody can sign up any more') },
    );
  return (
    <div className="flex flex-col gap-3">
      <div className="flex items-start justify-between gap-6">
        <div className="min-w-0">
          <p className="font-medium">People may sign up</p>
          <p id={id} className="mt-1 max-w-[68ch] text-sm text-muted">
            On: whoever has a key of this database, a web key too, can make an account. It gets{' '}
            {defaultRole === null ? (
              'no role, and may do nothing, as long as there is no default role'
            ) : (
              <>
                the default role, <strong className="font-medium text-text">{defaultRole}</strong>
              </>
            )}
            . Off: accounts are made here, or by the command line.
          </p>
        </div>
        <Switch
          label="People may sign up"
          describedBy={id}
          checked={signUp}
          disabled={update.isPending}
          onChange={save}
        />
      </div>
      {update.error ? <ErrorNote error={update.error} /> : null}
    </div>
  );
}

/** Whose tokens are taken, and what they give. */
export function AuthForm({ database }: { database: DatabaseAnswer }) {
  const update = useUpdateSettings(database.name);
  const [fields, setFields] = useState(() => fieldsOfAuth(database.settings.auth));
  const [hasTried, setHasTried] = useState(false);
  const parsed = parseAuthFields(fields);
  const errors = hasTried && !parsed.ok ? parsed.errors : {};
  const set = (name: keyof AuthFields, value: string) => setFields((before) => ({ ...before, [name]: value }));

  function save(event: FormEvent<HTMLFormElement>) {
    event.preventDefault();
    setHasTried(true);
    if (!parsed.ok) return focusFirstError(event.currentTarget);
    update.mutate({ auth: parsed.changes }, { onSuccess: () => toastDone('The settings of users are saved') });
  }

  const text = (name: TextField) => (
    <Field
      {...texts[name]}
      autoComplete="off"
      value={fields[name]}
      error={errors[name]}
      onChange={({ target }) => set(name, target.value)}
    />
  );
  return (
    <form onSubmit={save} noValidate className="flex flex-col gap-5">
      <div className="grid items-start gap-4 sm:grid-cols-2">
        {text('issuer')}
        {text('audience')}
        {text('algorithms')}
        {text('jwksUrl')}
        {text('origins')}
        {text('clockToleranceSeconds')}
        <Choice title="Roles stand in">
          <SegmentedChoice
            label="Roles stand in"
            value={fields.rolesFrom}
            options={[
              { value: 'users', label: 'Document' },
              { value: 'claim', label: 'Token' },
            ]}
            onChange={(value) => set('rolesFrom', value)}
          />
        </Choice>
        <Choice title="Document is found by">
          <SegmentedChoice
            label="Document is found by"
            value={fields.userField}
            options={[
              { value: 'sub', label: 'sub' },
              { value: 'email', label: 'email' },
            ]}
            onChange={(value) => set('userField', value)}
          />
        </Choice>
        {text('rolesClaim')}
        {text('defaultRole')}
      </div>
      {update.error ? <ErrorNote error={update.error} /> : null}
      <div>
        <Button type="submit" isBusy={update.isPending}>
          Save
        </Button>
      </div>
    </form>
  );
}

function Choice({ title, children }: { title: string; children: ReactNode }) {
  return (
    <div className="flex flex-col gap-1.5">
      <p className="text-sm font-medium">{title}</p>
      {children}
    </div>
  );
}
