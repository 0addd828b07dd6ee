/**
 * The groups of a database's streams, and those that an event could concern: what an event costs grows with the streams that it may go to, not with the filters and channels that
 * others ask for.
 *
 * Invariant (the tests cite the number):
 * 1. Every group that shows one of the events is among those that they concern, each once.
 */
import type { LogEvent } from '@tidewire/change-log/log-event';
import { documentsOf } from './event-filter.js';
import { Group } from './group.js';
import { LiveQueryIndex } from './live-query-index.js';
import { RuledGroups } from './ruled-groups.js';

export class GroupIndex {
  readonly #byKey = new Map<string, Group>();
  /** Filters that say nothing of documents or channels. */
  readonly #others = new Set<Group>();
  readonly #byQuery = new LiveQueryIndex<Group>();
  readonly #queries = new Set<Group>();
  readonly #byChannel = new Map<string, Set<Group>>();
  readonly #ruled = new RuledGroups();

  /** The group that sees the same bytes, or this one, which is then kept. */
  keep(group: Group): Group {
    const key = Group.keyOf(group.view, group.audience, group.filter);
    const present = this.#byKey.get(key);
    if (present !== undefined) return present;
    this.#byKey.set(key, group);
    const { query, channel } = group.filter;
    const { ruled } = group.audience;
    if (channel !== null) {
      const groups = this.#byChannel.get(channel) ?? new Set();
      this.#byChannel.set(channel, groups.add(group));
    } else if (ruled !== undefined) this.#ruled.add(group, ruled);
    else if (query !== null) {
      this.#queries.add(group);
      this.#byQuery.add(group, query);
    } else this.#others.add(group);
    return group;
  }

  remove(group: Group): void {
    const { view, audience, filter } = group;
    this.#byKey.delete(Group.keyOf(view, audience, filter));
    this.#others.delete(group);
    if (this.#queries.delete(group)) this.#byQuery.remove(group);
    if (audience.ruled !== undefined) this.#ruled.remove(group, audience.ruled);
    if (filter.channel === null) return;
    const groups = this.#byChannel.get(filter.channel);
    groups?.delete(group);
    if (groups?.size === 0) this.#byChannel.delete(filter.channel);
  }

  all(): Iterable<Group> {
    return this.#byKey.values();
  }

  /** A superset of the groups that show one of the events. */
  concernedBy(events: readonly LogEvent[]): Iterable<Group> {
    if (this.#byKey.size === this.#others.size) return this.#others;
    const found = new Set(this.#others);
    for (const event of events) {
      if (event.type === 'publish') this.#addChannels(event.name ?? '', found);
      if (this.#queries.size > 0) this.#addQueries(event, found);
      if (!this.#ruled.isEmpty) this.#ruled.addConcerned(event, found);
    }
    return found;
  }

  /** A message of `a.b` is one of the channel `a`, too. */
  #addChannels(name: string, found: Set<Group>): void {
    if (this.#byChannel.size === 0) return;
    for (let end = name.length; end > 0; end = name.lastIndexOf('.', end - 1))
      for (const group of this.#byChannel.get(name.slice(0, end)) ?? []) found.add(group);
  }

  /** Filters of documents let pass what is about none. */
  #addQueries(event: LogEvent, found: Set<Group>): void {
    const documents = Object.values(documentsOf(event)).filter((document) => document !== null);
    const groups = documents.length === 0 ? this.#queries : this.#byQuery.candidates(documents);
    for (const group of groups) found.add(group);
  }
}
