import type { FormEvent, ReactNode } from 'react';
import { Button } from './button.js';
import { DialogBody, DialogFooter } from './dialog.js';
import { ErrorNote } from './error-state.js';

type DialogFormProps = {
  onSubmit: (event: FormEvent<HTMLFormElement>) => void;
  onCancel: () => void;
  /** What the button that sends it says. */
  action: string;
  isDanger?: boolean;
  isDisabled?: boolean;
  isBusy: boolean;
  error: unknown;
  children: ReactNode;
};

/** A form as the content of a dialog: its fields, the server's refusal below them, the way back and the way on. */
export function DialogForm({
  onSubmit,
  onCancel,
  action,
  isDanger,
  isDisabled,
  isBusy,
  error,
  children,
}: DialogFormProps) {
  return (
    <form noValidate onSubmit={onSubmit} className="flex min-h-0 flex-1 flex-col">
      <DialogBody>
        {children}
        {error ? <ErrorNote error={error} className="mt-4" /> : null}
      </DialogBody>
      <DialogFooter>
        <Button onClick={onCancel}>Cancel</Button>
        <Button type="submit" variant={isDanger ? 'danger' : 'primary'} isBusy={isBusy} disabled={isDisabled}>
          {action}
        </Button>
      </DialogFooter>
    </form>
  );
}
