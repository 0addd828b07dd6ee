/**
 * What rules mean, said a second time and in another way: plain predicates on documents in memory. The random test holds the server against it. Nothing of the server's code is used here but types.
 */
import type { JsonObject, JsonValue } from '@tidewire/protocol/json';
import { pick, type Random } from '@tidewire/query/random.fixture';

export const collections = ['c0', 'c1'] as const;
export const methods = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'] as const;
export type Method = (typeof methods)[number];
export const fieldNames = ['owner', 'public', 'team', 'level', 'for', 'title', 'n', 'secret'] as const;

export type ModelUser = { sub: string; roles: string[]; claims: JsonObject };
type Who = { sub: string; role: string; claims: JsonObject };
/** A condition as it is saved, and what it means. */
type Clause = { q: JsonObject | undefined; passes: (document: JsonObject, who: Who) => boolean };
type Defaults = { json: JsonObject; make: (who: Who) => JsonObject | null };
export type ModelRule = {
  clause: Clause;
  readFields: string[] | undefined;
  writeFields: string[] | undefined;
  defaults: Defaults;
};
export type ModelRole = { name: string; rest: string[]; listen: string[]; rules: Record<string, ModelRule> };

const teamsOf = ({ claims }: Who): JsonValue[] => {
  const { teams } = claims;
  return Array.isArray(teams) ? teams : teams === undefined ? [] : [teams];
};

const clauses: [Clause, ...Clause[]] = [
  { q: { owner: '$user.sub' }, passes: ({ owner }, { sub }) => owner === sub },
  { q: { public: true }, passes: (document) => document.public === true },
  { q: { team: { $in: '$user.claims.teams' } }, passes: ({ team }, who) => teamsOf(who).some((one) => one === team) },
  {
    q: { level: { $lte: '$user.claims.level' } },
    passes: ({ level }, { claims }) =>
      typeof level === 'number' && typeof claims.level === 'number' && level <= claims.level,
  },
  {
    q: { $or: [{ owner: '$user.sub' }, { public: true }] },
    passes: (document, { sub }) => document.owner === sub || document.public === true,
  },
  { q: { owner: { $ne: '$user.sub' } }, passes: ({ owner }, { sub }) => owner !== sub },
  {
    q: { $not: { team: '$user.claims.team' } },
    passes: ({ team }, { claims }) => claims.team !== undefined && team !== claims.team,
  },
  { q: { for: '$user.role' }, passes: (document, { role }) => document.for === role },
  { q: { _createdby: '$user.sub' }, passes: ({ _createdby: by }, { sub }) => by === sub },
  {
    q: { n: { $gt: 3 }, secret: { $exists: true } },
    passes: (d) => typeof d.n === 'number' && d.n > 3 && 'secret' in d,
  },
  { q: {}, passes: () => true },
  { q: undefined, passes: () => true },
];
const defaults: [Defaults, ...Defaults[]] = [
  { json: {}, make: () => ({}) },
  { json: { owner: '$user.sub' }, make: ({ sub }) => ({ owner: sub }) },
  { json: { for: '$user.role', level: 1 }, make: ({ role }) => ({ for: role, level: 1 }) },
  {
    json: { team: '$user.claims.team' },
    make: ({ claims }) => (claims.team === undefined ? null : { team: claims.team }),
  },
];

const subset = <T>(random: Random, items: readonly T[], part: number) => items.filter(() => random() < part);

function makeRule(random: Random): ModelRule {
  return {
    clause: pick(random, clauses),
    readFields: random() < 0.5 ? subset(random, fieldNames, 0.7) : undefined,
    writeFields: random() < 0.4 ? subset(random, fieldNames, 0.7) : undefined,
    defaults: pick(random, defaults),
  };
}

export function makeRole(random: Random, name: string): ModelRole {
  const rules: Record<string, ModelRule> = {};
  for (const collection of collections) if (random() < 0.85) rules[collection] = makeRule(random);
  const rest = collections.flatMap((name) => subset(random, methods, 0.75).map((method) => `${method}:${name}`));
  const listen = collections.flatMap((name) =>
    subset(random, ['POST', 'PUT', 'DELETE'], 0.8).map((type) => `${type}:${name}`),
  );
  return { name, rest, listen, rules };
}

/** As the admin API takes it. */
export function requestOf({ name, rest, listen, rules }: ModelRole) {
  const saved = Object.entries(rules).map(([collection, { clause, readFields, writeFields, defaults: given }]) => [
    collection,
    JSON.parse(JSON.stringify({ q: clause.q, readFields, writeFields, defaults: given.json })),
  ]);
  return { name, rest, listen, publish: [], rules: Object.fromEntries(saved) };
}

export function makeUser(random: Random, sub: string, roles: readonly string[]): ModelUser {
  const claims: JsonObject = {};
  if (random() < 0.7) claims.teams = random() < 0.3 ? 'red' : subset(random, ['red', 'blue', 'green'], 0.5);
  if (random() < 0.7) claims.level = Math.floor(random() * 4);
  if (random() < 0.7) claims.team = pick(random, ['red', 'blue']);
  return {
    sub,
    claims,
    roles: [...roles].sort(() => random() - 0.5).slice(0, 1 + Math.floor(random() * roles.length)),
  };
}

/** A role's word on one collection, for one user. */
type Term = Omit<ModelRule, 'clause'> & { who: Who; isAll: boolean; passes: (document: JsonObject) => boolean };

const isServers = (name: string) => name.startsWith('_');
const has = (list: readonly string[] | undefined, name: string) => list === undefined || list.includes(name);

/** What one user may do with one collection by one grant: the roles that have the grant, in order; null: none has it. */
export function termsOf(
  roles: ReadonlyMap<string, ModelRole>,
  user: ModelUser,
  grant: string,
  list: 'rest' | 'listen',
): Term[] | null {
  const collection = grant.slice(grant.indexOf(':') + 1);
  const granting = user.roles.flatMap((name) => roles.get(name) ?? []).filter((role) => role[list].includes(grant));
  if (granting.length === 0) return null;
  return granting.map((role) => {
    const rule = role.rules[collection];
    const who = { sub: user.sub, role: role.name, claims: user.claims };
    const isAll = rule === undefined || rule.clause.q === undefined || Object.keys(rule.clause.q).length === 0;
    return {
      readFields: rule?.readFields,
      writeFields: rule?.writeFields,
      defaults: rule?.defaults ?? { json: {}, make: () => ({}) },
      who,
      isAll,
      passes: (document) => isAll || rule.clause.passes(document, who),
    };
  });
}

export const decides = (terms: readonly Term[], document: JsonObject) =>
  terms.find((term) => term.passes(document)) ?? null;

/** The document as the terms show it; null: not there. */
export function see(terms: readonly Term[], document: JsonObject | null): JsonObject | null {
  const term = document && decides(terms, document);
  return term && document && only(document, term.readFields);
}

export function only(document: JsonObject, fields: readonly string[] | undefined): JsonObject {
  return Object.fromEntries(Object.entries(document).filter(([name]) => isServers(name) || has(fields, name)));
}

/** Whether the field may be asked for: every term that could decide shows it. */
export function isAskable(terms: readonly Term[], name: string): boolean {
  const last = terms.findIndex(({ isAll }) => isAll);
  return (last < 0 ? terms : terms.slice(0, last + 1)).every(({ readFields }) => has(readFields, name));
}

/** The document that is made, with `_createdby`, or null for a refusal. */
export function create(terms: readonly Term[], body: JsonObject): JsonObject | null {
  const made = terms.flatMap((term) => {
    const given = term.defaults.make(term.who);
    return given === null ? [] : [{ term, given, document: { ...body, ...given, _createdby: term.who.sub } }];
  });
  const chosen = made.find(({ term, document }) => term.passes(document)) ?? made[0];
  if (chosen === undefined) return null;
  const { term, given, document } = chosen;
  const isWritable = Object.keys(body).every((name) => has(term.writeFields, name) || Object.hasOwn(given, name));
  return isWritable && term.passes(document) ? document : null;
}

/** What a change makes of a document: `missing`, `refused`, or the document after. */
export function change(
  terms: readonly Term[],
  before: JsonObject | undefined,
  body: JsonObject,
  isReplaced: boolean,
): 'missing' | 'refused' | JsonObject {
  const term = before && decides(terms, before);
  if (!before || !term) return 'missing';
  const after: JsonObject = { ...before };
  for (const name of fieldNames) {
    const isHidden = !has(term.readFields, name);
    const isWritable = has(term.writeFields, name);
    if (Object.hasOwn(body, name)) {
      const isSame = !isHidden && JSON.stringify(before[name]) === JSON.stringify(body[name]);
      if (!isSame && !isWritable) return 'refused';
      after[name] = body[name] ?? null;
    } else if (isReplaced && isWritable && !isHidden) delete after[name];
  }
  return decides(terms, after) === null ? 'refused' : after;
}
