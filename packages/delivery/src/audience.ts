/** What a stream may hear now: asked for when it opens, and again at every change of its database's configuration. */
import { isRealtimeOn } from '@tidewire/access/admission';
import type { KeyPrincipal, UserPrincipal } from '@tidewire/access/principal';
import { type Rights, standingOf } from '@tidewire/access/rights';
import { changeSeenBy, type Rule, type Rules, reachOf } from '@tidewire/access/rule';
import type { LogEvent } from '@tidewire/change-log/log-event';
import type { CatalogDatabase } from '@tidewire/db/catalog';
import { allowsListen } from '@tidewire/protocol/channel';
import type { Filter } from '@tidewire/query/ast';
import { documentsOf, withDocuments } from './event-filter.js';

/** Who listens. */
export type Listener = KeyPrincipal | UserPrincipal | { kind: 'admin' };

/**
 * What its streams may hear. Those with the same signature are shown the same, so they share one encoding. `see`: the event as they may see it, which is another one when a
 * rule hides fields or the document from before or after; null when they may not hear it. The same object for the same event.
 */
export type Audience = {
  readonly signature: string;
  see(event: LogEvent): LogEvent | null;
  /** How the rules of a user narrow it; absent when none does. */
  readonly ruled?: RuledAudience;
};

/** For finding the audiences that an event could concern without asking each. */
export type RuledAudience = {
  /** Equal for audiences with the same grants and with rules for the same collections. */
  readonly kind: string;
  /** Whether the grants have the event's channel. The same for audiences of one kind. */
  hears(event: LogEvent): boolean;
  /** The collections that a rule is about. */
  readonly collections: ReadonlySet<string>;
  /** Which documents' changes of the type are shown, of those before and after; null: all. `hides`: whether fields of them are not. */
  reach(type: ChangeType, collection: string): { filter: Filter | null; hides: boolean };
};

/** Types of events that rules are about. */
export const changeTypes = ['post', 'put', 'delete'] as const;
/** One of `changeTypes`. */
export type ChangeType = (typeof changeTypes)[number];

export type AudienceVerdict =
  /** `until`: milliseconds since the epoch, when it has to be asked again; Infinity for never. */
  | { status: 'open'; audience: Audience; until: number }
  /** The stream ends with this event, and the next try is refused. */
  | { status: 'ended'; event: 'revoked' | 'expired'; reason: string };

const everything: Audience = { signature: '*', see: (event) => event };
const nothing: Audience = { signature: '', see: () => null };
const never = Number.POSITIVE_INFINITY;

/** Most verdicts that are remembered; names of custom events are unbounded. */
const REMEMBERED = 10_000;

/** `now`: milliseconds since the epoch. */
export function audienceOf(listener: Listener, database: CatalogDatabase, now: number = Date.now()): AudienceVerdict {
  if (listener.kind === 'admin') return { status: 'open', audience: everything, until: never };
  const standing = standingOf(listener, database, now);
  if (standing.status === 'ended') return { status: 'ended', event: standing.ended, reason: standing.reason };
  const { rights, until } = standing;
  return { status: 'open', audience: audienceOfRights(rights, database), until };
}

/** What these rights give to hear. */
export function audienceOfRights(rights: Rights, database: CatalogDatabase): Audience {
  // A stream that was open when realtime went off stays, silent, and hears again when it comes back on.
  if (!isRealtimeOn(database, rights)) return nothing;
  const granted = audienceOfGrants(rights, database);
  return rights.rules === undefined ? granted : narrowed(granted, rights.rules);
}

function audienceOfGrants(rights: Rights, database: CatalogDatabase): Audience {
  if (database.settings.realtime.global) return everything;
  const verdicts = new Map<string, boolean>();
  function mayHear(event: LogEvent): boolean {
    const name = event.collection ?? event.name ?? '';
    const channel = `${event.type}:${name}`;
    const known = verdicts.get(channel);
    if (known !== undefined) return known;
    if (verdicts.size >= REMEMBERED) verdicts.clear();
    // Of the grants alone: others with the same grants share this audience, and may be good for longer.
    const verdict = allowsListen(rights.listen, event.type, name);
    verdicts.set(channel, verdict);
    return verdict;
  }
  const signature = [...new Set(rights.listen)].sort().join(' ');
  return { signature, see: (event) => (mayHear(event) ? event : null) };
}

/** The same with the rules that bind it. */
function narrowed(granted: Audience, rules: Rules): Audience {
  const bound = [...rules.collections]
    .sort()
    .map((name) => ({ name, signatures: changeTypes.map((type) => rules.ofEvents(type, name)?.signature ?? null) }))
    .filter(({ signatures }) => signatures.some((signature) => signature !== null));
  if (bound.length === 0) return granted;
  const collections = new Set(bound.map(({ name }) => name));
  const seen = new WeakMap<LogEvent, { shown: LogEvent | null }>();
  return {
    signature: `${granted.signature}\n${JSON.stringify(bound)}`,
    see(event) {
      if (granted.see(event) === null) return null;
      const rule = event.collection === null ? null : rules.ofEvents(event.type, event.collection);
      if (rule === null) return event;
      const present = seen.get(event);
      if (present !== undefined) return present.shown;
      const shown = seenByRule(rule, event);
      seen.set(event, { shown });
      return shown;
    },
    ruled: {
      kind: `${granted.signature}\n${JSON.stringify([...collections])}`,
      hears: (event) => granted.see(event) !== null,
      collections,
      reach(type, collection) {
        const rule = rules.ofEvents(type, collection);
        const hides = rule?.terms.some(({ readFields }) => readFields !== null) ?? false;
        return { filter: reachOf(rule), hides };
      },
    },
  };
}

/** What is about no document is shown as it is. */
function seenByRule(rule: Rule, event: LogEvent): LogEvent | null {
  const { before, after } = documentsOf(event);
  if (before === null && after === null) return event;
  const change = changeSeenBy(rule, { before, after });
  if (change === null) return null;
  if (change.type === event.type && change.before === before && change.after === after) return event;
  const textOf = (document: typeof before, whole: typeof before, text: string | null) =>
    document === whole ? text : JSON.stringify(document);
  const shown: LogEvent = {
    ...event,
    type: change.type,
    before: change.before && textOf(change.before, before, event.before),
    after: change.after && textOf(change.after, after, event.after),
  };
  return withDocuments(shown, change);
}
