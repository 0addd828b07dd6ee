/** Why a key or a user is shown an event or not: the questions that a stream's answer is made of, asked one by one of the same code, by the configuration of now. */
import { listenRefusal } from '@tidewire/access/admission';
import type { Standing } from '@tidewire/access/rights';
import type { LogEvent } from '@tidewire/change-log/log-event';
import type { CatalogDatabase } from '@tidewire/db/catalog';
import type { explainReasons } from '@tidewire/protocol/admin-api';
import { audienceOfRights } from './audience.js';
import { type FilterParameters, parseEventFilter } from './parse-event-filter.js';

/** `seen`: the event as it is shown, which a rule may have made another one. `detail`: a sentence for people. */
export type Explanation =
  | { shown: true; reason: null; detail: string; seen: LogEvent }
  | { shown: false; reason: (typeof explainReasons)[number]; detail: string };

export type ExplainRequest = {
  database: CatalogDatabase;
  /** Where the key or the user stands now. */
  standing: Standing;
  event: LogEvent;
  /** As the stream asks for them. */
  parameters: FilterParameters;
  /** The cursor that the stream came with; null: not said. */
  since: number | null;
};

/** Throws `bad_request` for parameters that no stream takes. */
export function explainEvent({ database, standing, event, parameters, since }: ExplainRequest): Explanation {
  const filters = (['collections', 'events', 'q'] as const).map((name) => ({
    name,
    filter: parseEventFilter({ ...nothingAsked, [name]: parameters[name] }),
  }));
  if (standing.status === 'ended') return notShown('ended', `${standing.reason}.`);
  const { rights } = standing;
  const name = event.collection ?? event.name ?? '';
  const refusal = listenRefusal(database, rights, event.type, name);
  if (refusal === 'ended') return notShown('ended', 'The key or the user has ended, or is of another database.');
  if (refusal === 'realtime_off')
    return notShown('realtime_off', 'Realtime is off: realtime.global is false, and the listen list is empty.');
  if (refusal === 'no_grant')
    return notShown('no_grant', `The listen list has no channel for this event, such as ${channelOf(event)}.`);
  const seen = audienceOfRights(rights, database).see(event);
  if (seen === null)
    return notShown(
      'rule',
      `The rule for ${name} lets through neither the document before the change nor the document after it.`,
    );
  const stopping = filters.find(({ filter }) => !filter.passes(seen));
  if (stopping !== undefined)
    return notShown(stopping.name, `The parameter ${stopping.name} of the stream does not ask for it.`);
  if (since !== null && event.id <= since)
    return notShown('before_connection', `It is not behind ${since}, where the stream begins.`);
  const changed =
    seen === event
      ? ''
      : `, under a rule${seen.type === event.type ? '' : `, as ${seen.type}: the document ${seen.type === 'post' ? 'comes into view' : 'goes out of view'}`}`;
  return { shown: true, reason: null, detail: `It is shown${changed}.`, seen };
}

const nothingAsked: FilterParameters = { collections: [], events: [], q: [] };

function notShown(reason: (typeof explainReasons)[number], detail: string): Explanation {
  return { shown: false, reason, detail: `${detail.charAt(0).toUpperCase()}${detail.slice(1)}` };
}

function channelOf({ type, collection, name }: LogEvent): string {
  if (type === 'publish') return `PUBLISH:${name}`;
  return type === 'rename' || type === 'drop' ? `*:${collection}` : `${type.toUpperCase()}:${collection}`;
}
