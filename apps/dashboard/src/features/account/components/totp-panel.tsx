import { useQueryClient } from '@tanstack/react-query';
import type { TotpEnrolment } from '@tidewire/protocol/admins';
import { type FormEvent, useState } from 'react';
import { Badge } from '../../../components/ui/badge.js';
import { Button } from '../../../components/ui/button.js';
import { CopyButton } from '../../../components/ui/copy-button.js';
import { Dialog, DialogBody, DialogFooter } from '../../../components/ui/dialog.js';
import { DialogForm } from '../../../components/ui/dialog-form.js';
import { Field } from '../../../components/ui/field.js';
import { Panel } from '../../../components/ui/panel.js';
import { toastDone } from '../../../components/ui/toaster.js';
import { accountQuery } from '../queries.js';
import { useBeginTotp, useConfirmTotp, useEndTotp } from '../totp.js';
import { QrCode } from './qr-code.js';

type Opened = 'on' | 'off' | null;

export function TotpPanel({ isOn }: { isOn: boolean }) {
  const [opened, setOpened] = useState<Opened>(null);
  const [kind, setKind] = useState<'on' | 'off'>('on');
  const open = (next: 'on' | 'off') => {
    setKind(next);
    setOpened(next);
  };
  return (
    <Panel
      title="One-time codes"
      description="A second proof at sign-in, from an authenticator app on your phone."
      actions={isOn ? <Badge tone="post">On</Badge> : <Badge>Off</Badge>}
    >
      <Button onClick={() => open(isOn ? 'off' : 'on')}>{isOn ? 'Switch off' : 'Set up'}</Button>
      <Dialog
        isOpen={opened !== null}
        onClose={() => setOpened(null)}
        title={kind === 'on' ? 'Set up one-time codes' : 'Switch off one-time codes?'}
        width="sm"
        isUrgent
      >
        {kind === 'on' ? (
          <Enrolling onClose={() => setOpened(null)} />
        ) : (
          <SwitchingOff onClose={() => setOpened(null)} />
        )}
      </Dialog>
    </Panel>
  );
}

/** Password, then the secret and the first code, then the recovery codes. */
function Enrolling({ onClose }: { onClose: () => void }) {
  const queryClient = useQueryClient();
  const begin = useBeginTotp();
  const confirm = useConfirmTotp();
  if (confirm.data) {
    const done = () => {
      void queryClient.invalidateQueries({ queryKey: accountQuery.queryKey });
      onClose();
    };
    return <RecoveryCodes codes={confirm.data.recoveryCodes} onDone={done} />;
  }
  if (begin.data) {
    const { enrolment } = begin.data;
    return (
      <FirstCode
        enrolment={begin.data}
        isBusy={confirm.isPending}
        error={confirm.error}
        onCancel={onClose}
        onCode={(code) => confirm.mutate({ enrolment, code })}
      />
    );
  }
  return (
    <PasswordAgain
      action="Go on"
      isBusy={begin.isPending}
      error={begin.error}
      onCancel={onClose}
      onPassword={(password) => begin.mutate(password)}
    />
  );
}

function SwitchingOff({ onClose }: { onClose: () => void }) {
  const end = useEndTotp();
  return (
    <PasswordAgain
      action="Switch off"
      isDanger
      isBusy={end.isPending}
      error={end.error}
      onCancel={onClose}
      onPassword={(password) =>
        end.mutate(password, {
          onSuccess: () => {
            toastDone('No code is asked for any more');
            onClose();
          },
        })
      }
    />
  );
}

type StepProps = { isBusy: boolean; error: unknown; onCancel: () => void };

function PasswordAgain({
  action,
  isDanger,
  isBusy,
  error,
  onCancel,
  onPassword,
}: StepProps & { action: string; isDanger?: boolean; onPassword: (password: string) => void }) {
  const [password, setPassword] = useState('');
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    onPassword(password);
  };
  return (
    <DialogForm
      onSubmit={submit}
      onCancel={onCancel}
      action={action}
      isDanger={isDanger}
      isBusy={isBusy}
      isDisabled={password === ''}
      error={error}
    >
      <Field
        label="Your password"
        type="password"
        name="password"
        autoComplete="current-password"
        value={password}
        onChange={(event) => setPassword(event.target.value)}
      />
    </DialogForm>
  );
}

type FirstCodeProps = StepProps & { enrolment: TotpEnrolment; onCode: (code: string) => void };

function FirstCode({ enrolment, isBusy, error, onCancel, onCode }: FirstCodeProps) {
  const [code, setCode] = useState('');
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    onCode(code);
  };
  return (
    <DialogForm
      onSubmit={submit}
      onCancel={onCancel}
      action="Switch on"
      isBusy={isBusy}
      isDisabled={code.trim() === ''}
      error={error}
    >
      <div className="flex flex-col gap-4 text-sm text-muted">
        <p>Scan this with your authenticator app, or type the secret there. Then type the code that it shows.</p>
        <QrCode text={enrolment.uri} label="QR code of the secret" />
        <div className="flex items-center gap-2">
          <code className="min-w-0 flex-1 rounded-md bg-sunken px-2 py-1.5 text-xs break-all text-text">
            {enrolment.secret}
          </code>
          <CopyButton text={enrolment.secret} what="secret" />
        </div>
        <Field
          label="Code"
          name="code"
          inputMode="numeric"
          autoComplete="one-time-code"
          maxLength={7}
          value={code}
          onChange={(event) => setCode(event.target.value)}
          className="text-text"
        />
      </div>
    </DialogForm>
  );
}

function RecoveryCodes({ codes, onDone }: { codes: readonly string[]; onDone: () => void }) {
  return (
    <>
      <DialogBody>
        <div className="flex flex-col gap-4 text-sm text-muted">
          <p>
            One-time codes are on. Keep these where your phone is not: each signs you in once when the authenticator is
            lost. They are shown only now.
          </p>
          <ul
            aria-label="Recovery codes"
            className="grid grid-cols-1 gap-1 rounded-md bg-sunken p-3 font-mono text-xs text-text sm:grid-cols-2"
          >
            {codes.map((code) => (
              <li key={code}>{code}</li>
            ))}
          </ul>
          <CopyButton text={codes.join('\n')} what="recovery codes" isWide />
        </div>
      </DialogBody>
      <DialogFooter>
        <Button variant="primary" onClick={onDone}>
          I have kept them
        </Button>
      </DialogFooter>
    </>
  );
}
