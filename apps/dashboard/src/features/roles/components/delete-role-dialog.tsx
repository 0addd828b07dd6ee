import type { RoleAnswer } from '@tidewire/protocol/roles';
import { ConfirmDialog } from '../../../components/ui/confirm-dialog.js';
import { toastDone } from '../../../components/ui/toaster.js';
import { useDeleteRole } from '../delete-role.js';

type DeleteRoleDialogProps = { database: string; deleted: RoleAnswer; isOpen: boolean; onClose: () => void };

export function DeleteRoleDialog({ database, deleted, isOpen, onClose }: DeleteRoleDialogProps) {
  const { name } = deleted;
  const remove = useDeleteRole(database);
  const confirm = () =>
    remove.mutate(name, {
      onSuccess: () => {
        toastDone(`${name} is deleted`);
        onClose();
      },
    });
  return (
    <ConfirmDialog
      isOpen={isOpen}
      onClose={onClose}
      title={`Delete ${name}?`}
      action="Delete"
      isDanger
      isBusy={remove.isPending}
      error={remove.error}
      onConfirm={confirm}
    >
      <p>Users who have this role may nothing by it any more, within a second, on streams that are open too.</p>
    </ConfirmDialog>
  );
}
