import type { AdminRole } from '@tidewire/protocol/admins';

/** What each role may do, in a few words. */
export const roleWords: Record<AdminRole, { label: string; may: string }> = {
  owner: { label: 'Owner', may: 'everything, with people and the deletion of databases' },
  editor: { label: 'Editor', may: 'everything but people, the export of the audit log and the deletion of databases' },
  viewer: { label: 'Viewer', may: 'look, and change nothing' },
};

export const roleOptions = (['owner', 'editor', 'viewer'] as const).map((value) => ({
  value,
  label: roleWords[value].label,
}));
