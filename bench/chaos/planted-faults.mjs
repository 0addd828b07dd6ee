/**
 * A checker that finds nothing may be blind. So each fault that it is there for is planted into the very history that it has just
 * passed, one at a time, and it must find it.
 *
 * @typedef {import('./history.mjs').History} History
 * @typedef {import('./truth.mjs').Truth} Truth
 */
import { checkHistory } from './checker.mjs';
import { History as RecordedHistory } from './history.mjs';

/** @type {Record<string, (history: History, truth: Truth, random: import('./random.mjs').Random) => { history: History, truth: Truth } | null>} */
const plants = {
  'an event that a subscriber did not get': (history, truth, random) =>
    withIds(history, truth, random, (ids, place) => ids.toSpliced(place, 1)),
  'an event that came twice': (history, truth, random) =>
    withIds(history, truth, random, (ids, place) => ids.toSpliced(place, 0, ids[place])),
  'two events in the wrong order': (history, truth, random) =>
    withIds(history, truth, random, (ids, place) => ids.toSpliced(place, 2, ids[place + 1], ids[place])),
  'a payload of another event': (history, truth, random) => {
    const [a, b] = random.shuffle([...history.payloads.keys()]);
    return {
      history: altered(history, { payloads: new Map([...history.payloads, [a, `${history.payloads.get(b)}`]]) }),
      truth,
    };
  },
  'a hole in the log': (history, truth, random) =>
    withoutEvent(history, truth, random.integer(0, truth.events.length - 2)),
  'an acknowledged write that was lost at the end': (history, truth) => {
    const cut = withoutEvent(history, { ...truth, head: truth.head - 1 }, truth.events.length - 1);
    const subscribers = history.subscribers.map((one) => ({ ...one, ids: one.ids.filter((id) => id < truth.head) }));
    const operation = history.operations.find(({ eventId }) => eventId === truth.head);
    return operation === undefined ? null : { ...cut, history: altered(history, { subscribers }) };
  },
  'a refused write that was stored': (history, truth, random) => withOutcome(history, truth, random, 'refused'),
  'a write that was never sent, but stored': (history, truth, random) => withOutcome(history, truth, random, 'unsent'),
  'a write that was stored twice': (history, truth, random) => {
    const event = random.pick(truth.events.filter(({ type }) => type === 'publish'));
    const again = { ...event, id: truth.head + 1 };
    const subscribers = history.subscribers.map((one) =>
      one.hears(again) ? { ...one, ids: [...one.ids, again.id] } : one,
    );
    return {
      history: altered(history, { subscribers }),
      truth: { ...truth, head: again.id, events: [...truth.events, again] },
    };
  },
  'a document that is not what the log says': (history, truth, random) =>
    withDocuments(history, truth, random, (documents, place) =>
      documents.with(place, { ...documents[place], body: { ...documents[place].body, marker: 'w0-0' } }),
    ),
  'a document that is missing': (history, truth, random) =>
    withDocuments(history, truth, random, (documents, place) => documents.toSpliced(place, 1)),
  'an event that nobody caused': (history, truth, random) => {
    const marker = random.pick(
      history.operations.filter(({ outcome, markers }) => outcome === 'acknowledged' && markers.length > 0),
    );
    return { history: altered(history, { operations: history.operations.filter((one) => one !== marker) }), truth };
  },
};

/**
 * Plants each fault; returns how many there were, and those that the checker did not see.
 * @param {History} history @param {Truth} truth @param {import('./random.mjs').Random} random
 */
export function findPlantedFaults(history, truth, random) {
  let planted = 0;
  const unseen = [];
  for (const [name, plant] of Object.entries(plants)) {
    const changed = plant(history, truth, random);
    if (changed === null) continue;
    planted += 1;
    if (checkHistory(changed.history, changed.truth).every(({ found }) => found.length === 0)) unseen.push(name);
  }
  return { planted, unseen };
}

function altered(history, parts) {
  return Object.assign(new RecordedHistory(), history, parts);
}

function withIds(history, truth, random, change) {
  const one = random.pick(history.subscribers.filter(({ ids }) => ids.length > 2));
  const ids = change(one.ids, random.integer(0, one.ids.length - 2));
  return {
    history: altered(history, {
      subscribers: history.subscribers.map((other) => (other === one ? { ...one, ids } : other)),
    }),
    truth,
  };
}

function withoutEvent(history, truth, place) {
  return { history, truth: { ...truth, events: truth.events.toSpliced(place, 1) } };
}

function withOutcome(history, truth, random, outcome) {
  const one = random.pick(
    history.operations.filter(({ outcome: was, markers }) => was === 'acknowledged' && markers.length > 0),
  );
  return {
    history: altered(history, {
      operations: history.operations.map((other) => (other === one ? { ...one, outcome } : other)),
    }),
    truth,
  };
}

function withDocuments(history, truth, random, change) {
  return {
    history,
    truth: { ...truth, documents: change(truth.documents, random.integer(0, truth.documents.length - 1)) },
  };
}
