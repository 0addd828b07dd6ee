/** `tidewire user …`: the accounts of a database's users. */
import type { Users } from '@tidewire/access/users';
import type { CatalogDatabase } from '@tidewire/db/catalog';
import { createUserRequestSchema, type ResetTokenAnswer } from '@tidewire/protocol/auth-api';
import { Problem } from '@tidewire/protocol/problem';
import { cliDoer } from '../cli-doer.js';
import type { Core } from '../open-core.js';
import { parseRequest } from '../parse-request.js';
import { findDatabaseId } from '../run-command.js';
import { renderTable } from '../table.js';

/** What a command about users works with. */
export type UserPlace = { core: Core; users: Pick<Users, 'accounts'> };
type Asked = { database: string; json: boolean };

/** Makes an account, and the token with which its password is set. */
export async function createUser(
  { core, users }: UserPlace,
  email: string,
  { database, role, json }: Asked & { role?: string },
): Promise<string> {
  const request = parseRequest(createUserRequestSchema, { email, role });
  const target = await databaseOf(core, database);
  const author = { actor: 'system', by: 'system' };
  const created = await users.accounts.create(target, request, author, cliDoer);
  if (json) return `${JSON.stringify(created)}\n`;
  return `The user ${created.id} (${created.email}) has an account.\n${created.reset === null ? '' : describeToken(created.reset)}`;
}

export async function listUsers({ core, users }: UserPlace, { database, json }: Asked): Promise<string> {
  const accounts = await users.accounts.list(await findDatabaseId(core, database));
  if (json) return `${JSON.stringify(accounts)}\n`;
  if (accounts.length === 0)
    return `The database ${database} has no user with an account. Make one: tidewire user create ada@example.com\n`;
  const rows = accounts.map(({ id, email, roles, isActive, sessions, createdAt }) => [
    id,
    email,
    roles.join(',') || '-',
    isActive ? 'active' : 'switched off',
    String(sessions),
    createdAt.slice(0, 10),
  ]);
  return renderTable(['ID', 'ADDRESS', 'ROLES', 'STATE', 'SESSIONS', 'CREATED'], rows);
}

/** A token with which the user sets a new password. */
export async function resetUser({ core, users }: UserPlace, email: string, { database, json }: Asked): Promise<string> {
  const reset = await users.accounts.createReset(await databaseOf(core, database), email.toLowerCase(), cliDoer);
  return json ? `${JSON.stringify(reset)}\n` : describeToken(reset);
}

/** Ends all sessions of a user. */
export async function signOutUser(
  { core, users }: UserPlace,
  email: string,
  { database, json }: Asked,
): Promise<string> {
  const databaseId = await findDatabaseId(core, database);
  const ended = await users.accounts.endSessionsOf(databaseId, email.toLowerCase(), cliDoer);
  if (json) return `${JSON.stringify({ ended })}\n`;
  return `${ended} ${ended === 1 ? 'session has' : 'sessions have'} ended; open streams end within a second.\n`;
}

async function databaseOf(core: Core, name: string): Promise<CatalogDatabase> {
  const database = await core.catalog.byId(await findDatabaseId(core, name));
  if (database === null) throw new Problem('not_found', `There is no database ${name}.`);
  return database;
}

function describeToken({ token, expiresAt }: ResetTokenAnswer): string {
  return `${token}\n\nThe application sends it with a new password to POST /auth/reset, until ${expiresAt}. It is shown only now.\n`;
}
