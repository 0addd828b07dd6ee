/** `tidewire admin …`: the people at the dashboard, from the machine of the server. */
import { createInviteRequestSchema } from '@tidewire/protocol/admins';
import { cliDoer } from '../cli-doer.js';
import type { Core } from '../open-core.js';
import { parseRequest } from '../parse-request.js';
import { renderTable } from '../table.js';

export async function listAdmins(core: Core, { json }: { json: boolean }): Promise<string> {
  const [admins, invites] = [await core.people.list(), await core.people.invites()];
  if (json) return `${JSON.stringify({ admins, invites })}\n`;
  if (admins.length === 0) return 'There is no admin yet: start the server, it prints a setup link.\n';
  const rows = admins.map(({ email, role, hasTotp, sessions, lastUsedAt }) => [
    email,
    role,
    hasTotp ? 'on' : 'off',
    String(sessions),
    lastUsedAt ?? 'never',
  ]);
  const waiting = invites.map(({ email, role, expiresAt }) => `Invited: ${email} as ${role}, until ${expiresAt}\n`);
  return `${renderTable(['EMAIL', 'ROLE', 'CODES', 'SESSIONS', 'LAST SEEN'], rows)}${waiting.join('')}`;
}

/** `url`: where people reach the dashboard. */
export async function inviteAdmin(
  core: Core,
  email: string,
  { role, url, json }: { role: string; url: string; json: boolean },
): Promise<string> {
  const invite = await core.people.invite(parseRequest(createInviteRequestSchema, { email, role }), cliDoer);
  if (json) return `${JSON.stringify(invite)}\n`;
  const link = `${url.replace(/\/$/, '')}/invite?token=${invite.token}`;
  return `${link}\n\nThis link makes ${invite.email} ${invite.role}. It works once, until ${invite.expiresAt}, and is shown only now.\n`;
}

export async function resetAdminPassword(core: Core, email: string): Promise<string> {
  const password = await core.people.resetPassword(email, cliDoer);
  return `${password}\n\nThis is the new password of ${email}, shown only now. All sessions of the account have ended.\n`;
}

export async function disableAdminTotp(core: Core, email: string): Promise<string> {
  await core.people.disableTotp(email, cliDoer);
  return `${email} is asked for no code any more.\n`;
}
