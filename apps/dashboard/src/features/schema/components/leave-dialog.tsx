import { useBlocker } from '@tanstack/react-router';
import { ConfirmDialog } from '../../../components/ui/confirm-dialog.js';

/** Asks before changes are lost. Who is signed out is led away all the same. */
export function LeaveDialog({ isDirty }: { isDirty: boolean }) {
  const blocker = useBlocker({
    shouldBlockFn: ({ next }) => isDirty && next.pathname !== '/sign-in',
    enableBeforeUnload: isDirty,
    withResolver: true,
  });
  return (
    <ConfirmDialog
      isOpen={blocker.status === 'blocked'}
      onClose={() => blocker.reset?.()}
      title="Leave without saving?"
      action="Leave"
      isDanger
      isBusy={false}
      error={null}
      onConfirm={() => blocker.proceed?.()}
    >
      <p>The schema has changes that are not saved. They are lost when you leave.</p>
    </ConfirmDialog>
  );
}
