import type { ResetTokenAnswer } from '@tidewire/protocol/auth-api';
import { ShownOnce } from '../../../components/ui/shown-once.js';

/** A token for a new password, shown once. */
export function ResetToken({ reset }: { reset: ResetTokenAnswer }) {
  return (
    <ShownOnce
      label="Reset token"
      text={reset.token}
      what="token"
      hint={
        <>
          Good for an hour and for one password. Your application sends it with the new password to{' '}
          <code className="text-text">POST /auth/reset</code>.
        </>
      }
      takesFocus
    />
  );
}
