import type { ResetTokenAnswer } from '@tidewire/protocol/auth-api';
import { useEffect, useId, useRef } from 'react';
import { CopyButton } from '../../../components/ui/copy-button.js';
import { inputClasses } from '../../../components/ui/field.js';

/** A token for a new password, shown once. */
export function ResetToken({ reset }: { reset: ResetTokenAnswer }) {
  const id = useId();
  const input = useRef<HTMLInputElement>(null);
  // The form that had the focus is gone; the token is what comes next.
  useEffect(() => input.current?.focus(), []);
  return (
    <div className="flex flex-col gap-1.5">
      <label htmlFor={id} className="text-sm font-medium">
        Reset token
      </label>
      <div className="flex flex-wrap gap-2">
        <input
          ref={input}
          id={id}
          readOnly
          value={reset.token}
          onFocus={(event) => event.currentTarget.select()}
          className={`${inputClasses} min-w-56 flex-1 border-accent! bg-accent-soft! font-mono text-xs!`}
        />
        <CopyButton text={reset.token} what="token" isWide />
      </div>
      <p className="text-xs text-muted">
        Good for an hour and for one password. Your application sends it with the new password to{' '}
        <code className="text-text">POST /auth/reset</code>.
      </p>
    </div>
  );
}
