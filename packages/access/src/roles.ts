/** The roles of a database: made, listed, changed and deleted, by the admin API and by the command line. */
import type { Catalog } from '@tidewire/db/catalog';
import type { AdminClient } from '@tidewire/db/client';
import type { RoleModel } from '@tidewire/db/generated/models/Role';
import { namesCollection } from '@tidewire/protocol/channel';
import { invalidFields, Problem, type ProblemField } from '@tidewire/protocol/problem';
import {
  type CreateRoleRequest,
  type RoleAnswer,
  type RoleRule,
  roleSchema,
  type UpdateRoleRequest,
} from '@tidewire/protocol/roles';
import { below } from '@tidewire/query/problems';
import { type AdminTransaction, inTransaction } from './admin-transaction.js';
import { auditValue, type Doer, recordAudit, systemDoer } from './audit-log.js';
import { problemsOfRule } from './bind-rule.js';
import { type ConfigNotice, raiseConfigVersion } from './config-version.js';

export interface Roles {
  /** In the order of their names. */
  list(databaseId: number): Promise<RoleAnswer[]>;
  /** Throws `not_found`. */
  get(databaseId: number, name: string): Promise<RoleAnswer>;
  /** Throws `conflict` when there is one of this name, `validation_failed` for rules that mean nothing. */
  create(databaseId: number, request: CreateRoleRequest, doer?: Doer): Promise<RoleAnswer>;
  /** Changes what is given. Throws `not_found`, and as `create`. */
  update(databaseId: number, name: string, request: UpdateRoleRequest, doer?: Doer): Promise<RoleAnswer>;
  /** Whoever has it may nothing by it any more. Throws `not_found`. */
  delete(databaseId: number, name: string, doer?: Doer): Promise<void>;
}

export type RolesDeps = { prisma: AdminClient; catalog: Catalog; notify: ConfigNotice };

/** Every change raises the database's configuration version in its own transaction, then refreshes the catalog and tells the others. */
export function createRoles({ prisma, catalog, notify }: RolesDeps): Roles {
  /** Under the lock of the head: of two at once the second sees what the first has done. `work` gives the role before and after; null for none. */
  async function change<After extends RoleAnswer | null>(
    { databaseId, action, subject, doer }: { databaseId: number; action: string; subject: string; doer: Doer },
    work: (transaction: AdminTransaction) => Promise<{ before: RoleAnswer | null; after: After }>,
  ): Promise<After> {
    const { after, configVersion } = await inTransaction(prisma, async (transaction) => {
      const head = await raiseConfigVersion(transaction, databaseId);
      const { before, after } = await work(transaction);
      const [was, is] = [before, after].map((role) => role && auditValue(role));
      await recordAudit(transaction, doer, { action, database: databaseId, subject, before: was, after: is });
      return { after, configVersion: head.configVersion };
    });
    notify(databaseId, configVersion);
    await catalog.refresh(databaseId, configVersion);
    return after;
  }

  async function find(transaction: Pick<AdminTransaction, 'role'>, where: { databaseId: number; name: string }) {
    const row = await transaction.role.findFirst({ where });
    if (row === null) throw noRole();
    return encodeRole(row);
  }

  return {
    async list(databaseId) {
      const rows = await prisma.role.findMany({ where: { databaseId }, orderBy: { name: 'asc' } });
      return rows.map(encodeRole);
    },
    get: (databaseId, name) => find(prisma, { databaseId, name }),
    async create(databaseId, request, doer = systemDoer) {
      checkRules(request.rules);
      const { name } = request;
      const data = { databaseId, ...request, rules: storableRules(request.rules) };
      return change({ databaseId, action: 'role.create', subject: name, doer }, async (transaction) => {
        const [row] = await transaction.role.createManyAndReturn({ data: [data], skipDuplicates: true });
        if (row === undefined) throw new Problem('conflict', `There is a role with the name ${name} already.`);
        return { before: null, after: encodeRole(row) };
      });
    },
    async update(databaseId, name, request, doer = systemDoer) {
      const { rules, ...lists } = request;
      if (rules !== undefined) checkRules(rules);
      const data = { ...lists, ...(rules === undefined ? {} : { rules: storableRules(rules) }) };
      const where = { databaseId, name };
      return change({ databaseId, action: 'role.update', subject: name, doer }, async (transaction) => {
        const before = await find(transaction, where);
        await transaction.role.updateMany({ where, data });
        return { before, after: await find(transaction, where) };
      });
    },
    async delete(databaseId, name, doer = systemDoer) {
      const where = { databaseId, name };
      await change({ databaseId, action: 'role.delete', subject: name, doer }, async (transaction) => {
        const before = await find(transaction, where);
        await transaction.role.deleteMany({ where });
        return { before, after: null };
      });
    },
  };
}

/** Those that have grants with this very name, or a rule for it: when the collection gets another name, neither follows. */
export function rolesThatName(
  roles: readonly RoleAnswer[],
  collection: string,
): { name: string; grants: string[]; hasRule: boolean }[] {
  return roles
    .map(({ name, rest, listen, rules }) => ({
      name,
      grants: [...rest, ...listen].filter((grant) => namesCollection(grant, collection)),
      hasRule: Object.hasOwn(rules, collection),
    }))
    .filter(({ grants, hasRule }) => grants.length > 0 || hasRule);
}

/** Throws `validation_failed` that names each wrong place. */
function checkRules(rules: Readonly<Record<string, RoleRule>>): void {
  const errors = Object.entries(rules).flatMap(([collection, rule]) =>
    problemsOfRule(rule).map(
      ({ field, message, allowed }): ProblemField => ({
        field: `${below('/rules', collection)}${field}`,
        message,
        ...(allowed === undefined ? {} : { allowed: allowed.join(', ') }),
      }),
    ),
  );
  if (errors.length > 0) throw invalidFields(errors.slice(0, 20));
}

/** As JSON text and back: what was left out is not there. */
function storableRules(rules: Readonly<Record<string, RoleRule>>) {
  return JSON.parse(JSON.stringify(rules)) as Record<string, never>;
}

function noRole(): Problem {
  return new Problem('not_found', 'The database has no role with this name.');
}

function encodeRole({ name, rest, listen, publish, rules, createdAt }: RoleModel): RoleAnswer {
  return roleSchema.parse({ name, rest, listen, publish, rules, createdAt: createdAt.toISOString() });
}
