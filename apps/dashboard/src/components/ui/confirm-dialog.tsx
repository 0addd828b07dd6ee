import { type ReactNode, useRef } from 'react';
import { Button } from './button.js';
import { Dialog, DialogBody, DialogFooter } from './dialog.js';
import { ErrorNote } from './error-state.js';

type ConfirmDialogProps = {
  isOpen: boolean;
  onClose: () => void;
  title: string;
  children: ReactNode;
  action: string;
  isDanger?: boolean;
  isBusy: boolean;
  error: unknown;
  onConfirm: () => void;
};

/** Asks before something with consequences. The way back has the focus. */
export function ConfirmDialog({
  isOpen,
  onClose,
  title,
  children,
  action,
  isDanger,
  isBusy,
  error,
  onConfirm,
}: ConfirmDialogProps) {
  const cancel = useRef<HTMLButtonElement>(null);
  return (
    <Dialog isOpen={isOpen} onClose={onClose} title={title} width="sm" isUrgent initialFocus={cancel}>
      <DialogBody>
        <div className="flex flex-col gap-3 text-sm text-muted">{children}</div>
        {error ? <ErrorNote error={error} className="mt-4" /> : null}
      </DialogBody>
      <DialogFooter>
        <Button ref={cancel} onClick={onClose}>
          Cancel
        </Button>
        <Button variant={isDanger ? 'danger' : 'primary'} isBusy={isBusy} onClick={onConfirm}>
          {action}
        </Button>
      </DialogFooter>
    </Dialog>
  );
}
