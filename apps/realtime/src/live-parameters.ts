/** The query of a live query's stream: the parameters of the REST route, and those of the stream. */
import { flag, parseParameters, wholeNumber, wrongParameters } from '@tidewire/collections/query-parameters';
import type { LiveForm } from '@tidewire/delivery/live-query';
import type { LiveSource } from '@tidewire/query/live-source';
import { cursorParameters } from './stream-doors.js';

/** `interval`: milliseconds. */
const streamParameters = { delta: flag, interval: wholeNumber(0, 0, 60_000) };

/** Parameters that are not those of the REST route. A stream of a result begins with its state, so cursors are taken and passed over. */
export const ownParameters: readonly string[] = [...Object.keys(streamParameters), ...cursorParameters];

/** How the result is to be shown. Throws `bad_request` that names the wrong parameter. */
export function parseLiveForm(query: string): LiveForm {
  const own = new URLSearchParams(
    [...new URLSearchParams(query)].filter(([name]) => Object.hasOwn(streamParameters, name)),
  );
  const { delta, interval } = parseParameters(own.toString(), streamParameters);
  return { isDelta: delta, intervalMs: interval };
}

/** Throws `bad_request` for the steps of a result that has no documents. */
export function refuseStepsWithoutRows({ isDelta }: LiveForm, source: LiveSource): void {
  if (isDelta && source.collection === null)
    throw wrongParameters([
      { field: 'delta', message: 'groups and aggregates have no documents that enter and leave', allowed: 'false' },
    ]);
}

/** The part of a URL behind `?`. */
export function queryOf({ url }: { url: string }): string {
  const start = url.indexOf('?');
  return start < 0 ? '' : url.slice(start + 1);
}
