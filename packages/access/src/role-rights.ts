/**
 * What the roles of a user add up to. Grants are the union of the roles'. What a grant allows is bound by the rules of those roles that have the grant: a role that lets its users read all
 * documents and one that lets them change their own give together exactly that.
 */
import type { CatalogDatabase, CatalogRole } from '@tidewire/db/catalog';
import { allowsListen, allowsRest, type EventType, type RestMethod } from '@tidewire/protocol/channel';
import type { JsonObject } from '@tidewire/protocol/json';
import { canonicalText } from '@tidewire/query/canonical-text';
import { bindRule } from './bind-rule.js';
import type { Rights } from './rights.js';
import type { Rule, Rules, RuleTerm } from './rule.js';

/** What a database knows of a user at one moment. */
export type UserFacts = {
  /** Names of roles, the first one first; those that the database does not have give nothing. */
  roles: readonly string[];
  /** What `$user` stands for in rules; `$user.role` is the role that a rule is of. */
  values: { sub: string; claims: JsonObject };
  /** Channels to hear and custom events to publish beside those of the roles, from the user's document. Rules of the roles bind what is heard by them. */
  realtime?: { sub: readonly string[]; pub: readonly string[] } | undefined;
  /** Origins from which a browser may use these rights. */
  origins: readonly string[];
  /** When the token is over; null for never. */
  expiresAt: Date | null;
};

/** The union of the grants, and the rules. Values are put into a rule when it is first asked for; keep the answer as long as the facts hold. */
export function rightsOfRoles(database: CatalogDatabase, facts: UserFacts): Rights {
  const roles = [...new Set(facts.roles)].flatMap((name) => database.roles.get(name) ?? []);
  const { sub = [], pub = [] } = facts.realtime ?? {};
  return {
    databaseId: database.id,
    rest: roles.flatMap(({ rest }) => rest),
    listen: [...roles.flatMap(({ listen }) => listen), ...sub],
    publish: [...roles.flatMap(({ publish }) => publish), ...pub],
    origins: facts.origins,
    revokedAt: null,
    disabledAt: null,
    expiresAt: facts.expiresAt,
    rules: rulesOf(database, roles, facts),
  };
}

function rulesOf(database: CatalogDatabase, roles: readonly CatalogRole[], { values, realtime }: UserFacts): Rules {
  const known = new Map<string, Rule | null>();
  const terms = new Map<string, RuleTerm>();
  const ruling = new Set(roles.flatMap(({ rules }) => Object.keys(rules)));

  function termOfRole({ name, rules }: CatalogRole, collection: string): RuleTerm {
    const key = `${name} ${collection}`;
    const rule = Object.hasOwn(rules, collection) ? rules[collection] : undefined;
    const term = terms.get(key) ?? (rule === undefined ? whole : bindRule(rule, { ...values, role: name }));
    terms.set(key, term);
    return term;
  }

  function ruleFrom(key: string, collection: string, speakers: () => readonly CatalogRole[]): Rule | null {
    if (!ruling.has(collection)) return null;
    const present = known.get(key);
    if (present !== undefined) return present;
    const rule = ruleOfTerms(speakers().map((role) => termOfRole(role, collection)));
    known.set(key, rule);
    return rule;
  }

  /** Roles that have the grant; and, of what is heard by the database's flag or by the user's own channels, those that have a rule. */
  function listeners(type: EventType, collection: string): readonly CatalogRole[] {
    const isOpen = database.settings.realtime.global || allowsListen(realtime?.sub ?? [], type, collection);
    return roles.filter(
      ({ listen, rules }) => allowsListen(listen, type, collection) || (isOpen && Object.hasOwn(rules, collection)),
    );
  }

  return {
    of: (method: RestMethod, collection) =>
      ruleFrom(`${method} ${collection}`, collection, () =>
        roles.filter(({ rest }) => allowsRest(rest, method, collection)),
      ),
    ofEvents: (type, collection) => ruleFrom(`${type} ${collection}`, collection, () => listeners(type, collection)),
    collections: ruling,
  };
}

/** What a role without a rule says. */
const whole: RuleTerm = { filter: null, readFields: null, writeFields: null, defaults: {} };

/** Null when the first term lets everything through whole. No term after one that is about all documents is ever reached. */
function ruleOfTerms(terms: readonly RuleTerm[]): Rule | null {
  const last = terms.findIndex(({ filter }) => filter === null);
  const reached = last < 0 ? terms : terms.slice(0, last + 1);
  if (reached[0] === whole) return null;
  return { signature: JSON.stringify(reached.map(textOf)), terms: reached };
}

function textOf({ filter, readFields, writeFields, defaults }: RuleTerm): unknown[] {
  return [filter && canonicalText(filter), sorted(readFields), sorted(writeFields), defaults];
}

function sorted(names: readonly string[] | null): string[] | null {
  return names && [...new Set(names)].sort();
}
