/** What a stream may hear now: asked for when it opens, and again at every change of its database's configuration. */
import { isRealtimeOn, mayListen } from '@tidewire/access/admission';
import type { LogEvent } from '@tidewire/change-log/log-event';
import type { CatalogDatabase } from '@tidewire/db/catalog';

/** Who listens. */
export type Listener = { kind: 'key'; keyId: string } | { kind: 'admin' };

/** Streams with the same signature hear the same events, so they share one encoding. */
export type Audience = { signature: string; mayHear(event: LogEvent): boolean };

export type AudienceVerdict =
  | { status: 'open'; audience: Audience }
  /** The stream ends with this event, and the next try is refused. */
  | { status: 'ended'; event: 'revoked'; reason: string };

const everything: Audience = { signature: '*', mayHear: () => true };
const nothing: Audience = { signature: '', mayHear: () => false };

/** Most verdicts that are remembered; names of custom events are unbounded. */
const REMEMBERED = 10_000;

export function audienceOf(listener: Listener, database: CatalogDatabase): AudienceVerdict {
  if (listener.kind === 'admin') return { status: 'open', audience: everything };
  const key = database.keys.get(listener.keyId);
  if (key === undefined || key.revokedAt !== null)
    return { status: 'ended', event: 'revoked', reason: 'the key was revoked' };
  // A stream that was open when realtime went off stays, silent, and hears again when it comes back on.
  if (!isRealtimeOn(database, key)) return { status: 'open', audience: nothing };
  if (database.settings.realtime.global) return { status: 'open', audience: everything };

  const verdicts = new Map<string, boolean>();
  const signature = [...new Set(key.listen)].sort().join(' ');
  return {
    status: 'open',
    audience: {
      signature,
      mayHear(event) {
        const name = event.collection ?? event.name ?? '';
        const channel = `${event.type}:${name}`;
        const known = verdicts.get(channel);
        if (known !== undefined) return known;
        if (verdicts.size >= REMEMBERED) verdicts.clear();
        const verdict = mayListen(database, key, event.type, name);
        verdicts.set(channel, verdict);
        return verdict;
      },
    },
  };
}
