/** Roles: what users of a database may do, and the rules that bind them. The admin API and the dashboard parse with these same schemas. */
import { z } from 'zod';
import { grantList } from './admin-api.js';
import { collectionNamePattern, collectionNameRule } from './names.js';

const fieldName = z.string().min(1).max(200);
const fieldList = z.array(fieldName).max(1_000);
const jsonObject = z.record(z.string(), z.unknown());

/**
 * The rule of a collection. In `q` and `defaults` the texts `$user.sub`, `$user.role` and `$user.claims.…` stand for the user's values; when the user has no such value, `q` lets
 * nothing through.
 */
export const roleRuleSchema = z.strictObject({
  /** In the query language: the documents that may be reached. Absent: all. */
  q: jsonObject.optional(),
  /** Fields at the root of a document that are seen. Absent: all. */
  readFields: fieldList.optional(),
  /** Fields at the root of a document that may be written. Absent: all. */
  writeFields: fieldList.optional(),
  /** Fields that each new document is given, whatever was sent. */
  defaults: jsonObject.optional(),
});

const roleName = z.string().regex(collectionNamePattern, `not the name of a role; allowed: ${collectionNameRule}`);
const rules = z.record(
  z.string().regex(collectionNamePattern, `not the name of a collection; allowed: ${collectionNameRule}`),
  roleRuleSchema,
);

/** `POST /api/databases/{db}/roles`. */
export const createRoleRequestSchema = z.strictObject({
  name: roleName,
  rest: grantList('rest').default([]),
  listen: grantList('listen').default([]),
  publish: grantList('publish').default([]),
  rules: rules.default({}),
});
/** `PATCH /api/databases/{db}/roles/{name}`: what is given replaces what is there. */
export const updateRoleRequestSchema = z.strictObject({
  rest: grantList('rest').optional(),
  listen: grantList('listen').optional(),
  publish: grantList('publish').optional(),
  rules: rules.optional(),
});
/** A role as lists show it. */
export const roleSchema = createRoleRequestSchema.extend({ createdAt: z.string() });

export type RoleRule = z.infer<typeof roleRuleSchema>;
export type CreateRoleRequest = z.infer<typeof createRoleRequestSchema>;
export type UpdateRoleRequest = z.infer<typeof updateRoleRequestSchema>;
export type RoleAnswer = z.infer<typeof roleSchema>;
