/** `tidewire role …`: the roles of a database. */
import { readFileSync } from 'node:fs';
import type { JsonObject } from '@tidewire/protocol/json';
import { Problem } from '@tidewire/protocol/problem';
import { createRoleRequestSchema, type RoleAnswer, updateRoleRequestSchema } from '@tidewire/protocol/roles';
import { parseJsonText } from '@tidewire/server-kit/json-text';
import { cliDoer } from '../cli-doer.js';
import { UsageError } from '../exit.js';
import { grantsOf } from '../grants-of.js';
import type { Core } from '../open-core.js';
import { parseRequest } from '../parse-request.js';
import { findDatabaseId } from '../run-command.js';
import { renderTable } from '../table.js';

export type RoleOptions = {
  database: string;
  rest?: string[] | undefined;
  listen?: string[] | undefined;
  publish?: string[] | undefined;
  /** A file with the rules as JSON, by collection. */
  rules?: string | undefined;
  json: boolean;
};

export async function listRoles(core: Core, { database, json }: { database: string; json: boolean }): Promise<string> {
  const roles = await core.roles.list(await findDatabaseId(core, database));
  if (json) return `${JSON.stringify(roles)}\n`;
  if (roles.length === 0)
    return `The database ${database} has no role. Make one: tidewire role create NAME --rest 'GET:company'\n`;
  const rows = roles.map((role) => [role.name, grantsOf(role), Object.keys(role.rules).join(', ') || 'none']);
  return renderTable(['NAME', 'MAY', 'RULES FOR'], rows);
}

/** The role as JSON. */
export async function showRole(core: Core, name: string, { database }: { database: string }): Promise<string> {
  return `${JSON.stringify(await core.roles.get(await findDatabaseId(core, database), name), null, 2)}\n`;
}

export async function createRole(core: Core, name: string, options: RoleOptions): Promise<string> {
  const request = parseRequest(createRoleRequestSchema, { name, ...given(options) });
  const role = await core.roles.create(await findDatabaseId(core, options.database), request, cliDoer);
  return describe(role, options, 'made');
}

/** What is not given stays. */
export async function updateRole(core: Core, name: string, options: RoleOptions): Promise<string> {
  const request = parseRequest(updateRoleRequestSchema, given(options));
  const role = await core.roles.update(await findDatabaseId(core, options.database), name, request, cliDoer);
  return describe(role, options, 'changed');
}

export async function deleteRole(core: Core, name: string, { database }: { database: string }): Promise<string> {
  await core.roles.delete(await findDatabaseId(core, database), name, cliDoer);
  return `The role ${name} is deleted; whoever has it may nothing by it any more.\n`;
}

function given({ rest, listen, publish, rules }: RoleOptions): JsonObject {
  const parts = { rest, listen, publish, rules: rules === undefined ? undefined : readRules(rules) };
  return JSON.parse(JSON.stringify(parts)) as JsonObject;
}

/** Throws `UsageError` when there is no such file, or no JSON in it. */
function readRules(file: string): unknown {
  try {
    return parseJsonText(readFileSync(file, 'utf8'));
  } catch (error) {
    if (error instanceof Problem) throw new UsageError(`${file}: ${error.detail}`);
    throw new UsageError(`There is no file ${file} that can be read.`);
  }
}

function describe(role: RoleAnswer, { json }: RoleOptions, what: string): string {
  return json ? `${JSON.stringify(role)}\n` : `The role ${role.name} is ${what}. It may: ${grantsOf(role)}.\n`;
}
