/**
 * Groups whose audiences are narrowed by rules, and those that an event could concern: found by the values that rules and filters ask for, so that an event of a collection in which each of 10,000 users
 * has documents of its own costs no more than the users who see it.
 *
 * Invariant (the tests cite the number):
 * 1. Every group that shows an event is among those that it concerns.
 */
import type { LogEvent } from '@tidewire/change-log/log-event';
import type { Filter } from '@tidewire/query/ast';
import { type ChangeType, changeTypes, type RuledAudience } from './audience.js';
import { documentsOf } from './event-filter.js';
import type { Group } from './group.js';
import { LiveQueryIndex } from './live-query-index.js';

/** Groups with the same grants and with rules for the same collections. */
type Kind = {
  /** Any of their audiences: for what they have in common. */
  audience: RuledAudience;
  groups: Set<Group>;
  /** For collections that a rule is about, by type and collection. */
  byRule: Map<string, LiveQueryIndex<Group>>;
  /** For the others. */
  byQuery: LiveQueryIndex<Group>;
};

export class RuledGroups {
  readonly #kinds = new Map<string, Kind>();

  get isEmpty(): boolean {
    return this.#kinds.size === 0;
  }

  add(group: Group, audience: RuledAudience): void {
    const kind = this.#kindOf(audience);
    const { query } = group.filter;
    kind.groups.add(group);
    kind.byQuery.add(group, query);
    for (const collection of audience.collections)
      for (const type of changeTypes) {
        const { filter, hides } = audience.reach(type, collection);
        // What a query asks of fields that are hidden cannot be looked up in the document as it is.
        kind.byRule.get(`${type} ${collection}`)?.add(group, both(filter, hides ? null : query));
      }
  }

  remove(group: Group, { kind: name }: RuledAudience): void {
    const kind = this.#kinds.get(name);
    if (kind === undefined || !kind.groups.delete(group)) return;
    kind.byQuery.remove(group);
    for (const index of kind.byRule.values()) index.remove(group);
    if (kind.groups.size === 0) this.#kinds.delete(name);
  }

  /** A superset of the groups that show the event. */
  addConcerned(event: LogEvent, found: Set<Group>): void {
    for (const kind of this.#kinds.values())
      if (kind.audience.hears(event)) for (const group of concernedOf(kind, event)) found.add(group);
  }

  #kindOf(audience: RuledAudience): Kind {
    const present = this.#kinds.get(audience.kind);
    if (present !== undefined) return present;
    const names = [...audience.collections].flatMap((name) => changeTypes.map((type) => `${type} ${name}`));
    const kind: Kind = {
      audience,
      groups: new Set(),
      byRule: new Map(names.map((name) => [name, new LiveQueryIndex<Group>()])),
      byQuery: new LiveQueryIndex<Group>(),
    };
    this.#kinds.set(audience.kind, kind);
    return kind;
  }
}

function concernedOf(kind: Kind, event: LogEvent): Iterable<Group> {
  const documents = Object.values(documentsOf(event)).filter((document) => document !== null);
  if (documents.length === 0 || !isChange(event.type)) return kind.groups;
  const index = kind.byRule.get(`${event.type} ${event.collection}`) ?? kind.byQuery;
  return index.candidates(documents);
}

function isChange(type: string): type is ChangeType {
  return (changeTypes as readonly string[]).includes(type);
}

function both(rule: Filter | null, query: Filter | null): Filter | null {
  if (rule === null || query === null) return rule ?? query;
  return { kind: 'and', items: [rule, query] };
}
