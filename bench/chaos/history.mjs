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
 * @typedef {{ name: string, hears: (event: { type: string, collection: string | null, name: string | null }) => boolean, runs: number[], connections: number, reachedHead: boolean, behindMs: number }} SubscriberRecord
 *   `runs`: the ids that it got, in the order in which they came, as first and last of each run of consecutive ones (`id-runs.mjs`).
 *   `behindMs`: the longest time after an acknowledged write in which it had not come.
 * @typedef {{ residentBytes: number, descriptors: number }} Resources
 * @typedef {{ subscriber: string, query: import('./live-query-model.mjs').LiveQuery, id: number, fingerprint: number, kind: 'first' | 'between' | 'last' | 'final' }} Checkpoint
 *   The state that a stream of a query had rebuilt at an event: the first of a start, some in between, the last before the line ended, and the
 *   one after all was over.
 */
import { fingerprintOf, fingerprintOfJson } from './fingerprint.mjs';
import { appendToRuns } from './id-runs.mjs';

/** Texts of so many events are kept to show what was different. */
const keptTexts = 5_000;

export class History {
  /** @type {Operation[]} */
  operations = [];
  /** @type {SubscriberRecord[]} */
  subscribers = [];
  /** Fingerprints of what each event looked like to the first who got it, by the event's id: of `[event, data]`. @type {Map<number, number>} */
  payloads = new Map();
  /** Of the very text, which must be the same for all. @type {Map<number, number>} */
  #texts = new Map();
  /** The texts themselves, of the newest events. @type {Map<number, string>} */
  #recent = new Map();
  /** @type {Checkpoint[]} */
  checkpoints = [];
  /** How often a stream of a query was begun and showed a state. */
  queryStarts = 0;
  /** The greatest event id of any acknowledged write. */
  acknowledgedHead = 0;
  /** Processes that ended without having been killed, with the end of what they said. @type {{ name: string, how: string, said: string }[]} */
  ownEnds = [];
  /** How often processes were started. */
  starts = 0;
  /**
   * For each ending of PostgreSQL: how long until it ran again, until a write was acknowledged again, and until all streams whose line and node work had
   * that; null when this could not be told, because too much else happened meanwhile.
   * @type {{ downMs: number, writesBackMs: number, streamsBackMs: number | null }[]}
   */
  recoveries = [];
  /** So many times as long are the limits of times: the short form runs on whatever machine. */
  patience = 1;
  /** The longest time in which no write was acknowledged, while PostgreSQL ran and there were nodes to take it. */
  longestWithoutWriteMs = 0;
  /** Of each node before the load, and after it when nobody is connected. @type {{ name: string, start: Resources, end: Resources }[]} */
  resources = [];
  /** Connections to PostgreSQL of all nodes; `most` is what their pools may hold. */
  postgresConnections = { start: 0, end: 0, most: 0 };
  /** What no server may do at any time, however it is treated: found on the spot. @type {string[]} */
  faults = [];

  /** @param {string} text */
  fault(text) {
    this.faults.push(text);
  }

  /** @param {Operation} operation */
  note(operation) {
    this.operations.push(operation);
    if (operation.outcome === 'acknowledged')
      this.acknowledgedHead = Math.max(this.acknowledgedHead, operation.eventId ?? 0);
  }

  /** Notes what a subscriber got; another text for the same id is a fault. */
  receive(subscriber, id, event, data) {
    appendToRuns(subscriber.runs, id);
    const text = `${event} ${data}`;
    const fingerprint = fingerprintOf(text);
    const known = this.#texts.get(id);
    if (known === undefined) {
      this.#texts.set(id, fingerprint);
      this.payloads.set(id, fingerprintOfJson([event, JSON.parse(data)]));
      this.#recent.set(id, text);
      if (this.#recent.size > keptTexts) this.#recent.delete(this.#recent.keys().next().value);
    } else if (known !== fingerprint)
      this.fault(
        `event ${id} looked different to ${subscriber.name}: ${text.slice(0, 200)} instead of ${this.#recent.get(id)?.slice(0, 200)}`,
      );
  }
}
