/** The form of a role: grants as words, rules as JSON; and what is wrong with them, by field and line. */
import { type GrantKind, grantRules, parseGrant } from '@tidewire/protocol/channel';
import type { ProblemField } from '@tidewire/protocol/problem';
import { type CreateRoleRequest, createRoleRequestSchema, type RoleAnswer } from '@tidewire/protocol/roles';
import type { FieldErrors } from '../../lib/form/field-errors.js';
import { findJsonPlaces, lineOf, nearestPlace, readJson } from '../../lib/json-places.js';

export type RoleText = { name: string; rest: string; listen: string; publish: string; rules: string };
/** `lines`: of the rules, counted from 1. */
export type RoleMistakes = { fields: FieldErrors; lines: ReadonlySet<number> };
export type RoleReading = { ok: true; request: CreateRoleRequest } | ({ ok: false } & RoleMistakes);

export const noMistakes: RoleMistakes = { fields: {}, lines: new Set() };
const kinds: readonly GrantKind[] = ['rest', 'listen', 'publish'];

export function textOfRole(role: RoleAnswer | null): RoleText {
  const { name = '', rest = [], listen = [], publish = [], rules = {} } = role ?? {};
  const words = (grants: readonly string[]) => grants.join(' ');
  return {
    name,
    rest: words(rest),
    listen: words(listen),
    publish: words(publish),
    rules: JSON.stringify(rules, null, 2),
  };
}

export function readRole(text: RoleText): RoleReading {
  const fields: Record<string, string> = {};
  const lists = Object.fromEntries(
    kinds.map((kind) => [kind, text[kind].split(/[\s,]+/).filter((word) => word !== '')]),
  );
  for (const kind of kinds) {
    const wrong = lists[kind]?.find((word) => parseGrant(kind, word) === null);
    if (wrong !== undefined) fields[kind] = `${wrong} does not fit. Allowed: ${grantRules[kind]}.`;
  }
  const json = readJson(text.rules.trim() === '' ? '{}' : text.rules);
  if (!json.ok) fields.rules = json.message;
  const lines = json.ok || json.line === null ? [] : [json.line];
  const parsed = createRoleRequestSchema.safeParse({ name: text.name, ...lists, rules: json.ok ? json.value : {} });
  if (parsed.success && Object.keys(fields).length === 0) return { ok: true, request: parsed.data };
  const issues = parsed.success ? [] : parsed.error.issues;
  const told = mistakesOf(
    text,
    issues.map(({ path, message }) => ({ field: path.map((part) => `/${String(part)}`).join(''), message })),
  );
  return { ok: false, fields: { ...told.fields, ...fields }, lines: new Set([...told.lines, ...lines]) };
}

/** What the server found, or the schema: mistakes in rules name their place and mark its line. */
export function mistakesOf(text: RoleText, problems: readonly ProblemField[]): RoleMistakes {
  const fields: Record<string, string> = {};
  const lines = new Set<number>();
  for (const { field, message, allowed } of problems) {
    const [, name = ''] = field.split('/');
    const words = allowed ? `${message} (allowed: ${allowed})` : message;
    const place = field.slice('/rules'.length);
    fields[name] ??= name === 'rules' && place !== '' ? `${place}: ${words}` : words;
    if (name === 'rules') lines.add(lineOf(text.rules, nearestPlace(findJsonPlaces(text.rules), place)));
  }
  return { fields, lines };
}
