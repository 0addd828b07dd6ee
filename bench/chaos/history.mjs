/**
 * What happened, as its actors saw it: the checker's one side. The other is the truth in Postgres (`truth.mjs`).
 *
 * @typedef {'create' | 'createMany' | 'update' | 'delete' | 'deleteMany' | 'publish'} Kind
 * @typedef {'acknowledged' | 'refused' | 'unknown' | 'unsent'} Outcome
 *   `acknowledged`: 2xx. `refused`: 4xx, or 503 `unavailable`, which promises that nothing was stored. `unknown`: the connection broke, or
 *   503 `outcome_unknown`. `unsent`: nobody was listening.
 * @typedef {{ kind: Kind, markers: string[], ids: string[], outcome: Outcome, status: number, eventId: number | null }} Operation
 *   `markers` are unique values in what was to be written, one for each document or message; `ids` are the documents that an
 *   update or delete is about, for an acknowledged `deleteMany` those that it says it deleted.
 * @typedef {{ name: string, hears: (event: { type: string, collection: string | null, name: string | null }) => boolean, ids: number[], connections: number, reachedHead: boolean }} SubscriberRecord
 */

export class History {
  /** @type {Operation[]} */
  operations = [];
  /** @type {SubscriberRecord[]} */
  subscribers = [];
  /** What each event looked like to the first who got it. @type {Map<number, string>} */
  payloads = new Map();
  /** What no server may do at any time, however it is treated: found on the spot. @type {string[]} */
  faults = [];

  /** @param {string} text */
  fault(text) {
    this.faults.push(text);
  }

  /** Notes what a subscriber got; another payload for the same id is a fault. */
  receive(subscriber, id, payload) {
    subscriber.ids.push(id);
    const known = this.payloads.get(id);
    if (known === undefined) this.payloads.set(id, payload);
    else if (known !== payload)
      this.fault(
        `event ${id} looked different to ${subscriber.name}: ${payload.slice(0, 200)} instead of ${known.slice(0, 200)}`,
      );
  }
}
