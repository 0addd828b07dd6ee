/** Who stands in the audit log for what commands change: the user of this machine, who can reach the database anyway. */
import { userInfo } from 'node:os';
import type { Doer } from '@tidewire/access/audit-log';

export const cliDoer: Doer = { actor: 'cli', name: userName(), address: '' };

/** Some containers have no name for their user. */
function userName(): string {
  try {
    return userInfo().username;
  } catch {
    return 'cli';
  }
}
