/**
 * What admins may do by their role, by the method and the registered pattern of a route. Asked in one place, the admin gate, for every route of the admin API and its streams:
 *
 * 1. Everybody looks after the own account: session, password, one-time codes, own sessions.
 * 2. Viewers read, but not what is the owners'.
 * 3. Editors change everything else, too.
 * 4. Owners alone see and change the people, take the audit log away as a file, and delete databases.
 *
 * A route that is new is an editor's to change and a viewer's to read. What gives a secret away is never a GET, so that viewers see none.
 */
import type { AdminRole } from '@tidewire/protocol/admins';

const ownAccount = /^\/api\/(?:session|admin)(?:\/|$)/;
const ofOwners = /^\/api\/(?:admins|invites)(?:\/|$)|^\/api\/audit\/export$/;
/** Method and pattern. */
const changesOfOwners: ReadonlySet<string> = new Set(['DELETE /api/databases/:database']);
const reading: ReadonlySet<string> = new Set(['GET', 'HEAD']);

/** `pattern` as in `/api/databases/:database`. */
export function mayAdmin(role: AdminRole, method: string, pattern: string): boolean {
  if (role === 'owner' || ownAccount.test(pattern)) return true;
  if (ofOwners.test(pattern) || changesOfOwners.has(`${method} ${pattern}`)) return false;
  return reading.has(method) || (role === 'editor' && pattern.startsWith('/api/'));
}
