/**
 * A checker that finds nothing may be blind. So each fault that it is there for is planted into the very history that it has just
 * passed, one at a time, and it must find it.
 *
 * @typedef {import('./history.mjs').History} History
 * @typedef {import('./truth.mjs').Truth} Truth
 */
import { checkHistory } from './checker.mjs';
import { History as RecordedHistory } from './history.mjs';
import { idsOfRuns, runsOfIds } from './id-runs.mjs';

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
      history: altered(history, { payloads: new Map([...history.payloads, [a, history.payloads.get(b)]]) }),
      truth,
    };
  },
  'a hole in the log': (history, truth, random) =>
    withoutEvent(history, truth, random.integer(0, truth.events.length - 2)),
  'an acknowledged write that was lost at the end': (history, truth) => {
    const cut = withoutEvent(history, { ...truth, head: truth.head - 1 }, truth.events.length - 1);
    const subscribers = history.subscribers.map((one) => ({
      ...one,
      runs: runsOfIds(idsOfRuns(one.runs).filter((id) => id < truth.head)),
    }));
    const operation = history.operations.find(({ eventId }) => eventId === truth.head);
    return operation === undefined ? null : { ...cut, history: altered(history, { subscribers }) };
  },
  'a refused write that was stored': (history, truth, random) => withOutcome(history, truth, random, 'refused'),
  'a write that was never sent, but stored': (history, truth, random) => withOutcome(history, truth, random, 'unsent'),
  'a write that was stored twice': (history, truth, random) => {
    const event = random.pick(truth.events.filter(({ type }) => type === 'publish'));
    const again = { ...event, id: truth.head + 1 };
    const subscribers = history.subscribers.map((one) =>
      one.hears(again) ? { ...one, runs: [...one.runs, again.id, again.id] } : one,
    );
    return {
      history: altered(history, { subscribers }),
      truth: { ...truth, head: again.id, events: [...truth.events, again] },
    };
  },
  'a document that is not what the log says': (history, truth, random) =>
    withDocuments(history, truth, random, (documents, place) =>
      documents.with(place, { ...documents[place], own: documents[place].own + 1 }),
    ),
  'a document of which the log says something else was there before': (history, truth, random) => {
    const place = random.pick(truth.events.flatMap(({ type }, index) => (type === 'put' ? [index] : [])));
    const event = { ...truth.events[place], before: truth.events[place].before + 1 };
    return { history, truth: { ...truth, events: truth.events.with(place, event) } };
  },
  'a stream of a query that began with a wrong state': (history, truth, random) =>
    withCheckpoint(history, truth, random, 'first'),
  'a stream of a query that carried out a step wrongly': (history, truth, random) =>
    withCheckpoint(history, truth, random, 'last'),
  'a stream of a query that did not hear of the last changes': (history, truth, random) =>
    withCheckpoint(history, truth, random, 'final'),
  'a stream of a query that says of its state an event at which it was another': (history, truth, random) => {
    const firsts = new Map(history.checkpoints.filter(({ kind }) => kind === 'first').map((one) => [one.query, one]));
    const pairs = history.checkpoints.flatMap((last) => {
      const first = firsts.get(last.query);
      return last.kind === 'last' && first !== undefined && first.fingerprint !== last.fingerprint
        ? [{ first, last }]
        : [];
    });
    if (pairs.length === 0) return null;
    const { first, last } = random.pick(pairs);
    return { history: altered(history, { checkpoints: [{ ...first, id: last.id }] }), truth };
  },
  'a process that ended by itself': (history, truth) => ({
    history: altered(history, { ownEnds: [{ name: 'api-1', how: 'code 1', said: '' }] }),
    truth,
  }),
  'a recovery of PostgreSQL after which writes stayed away': (history, truth) => ({
    history: altered(history, {
      recoveries: [...history.recoveries, { downMs: 100, writesBackMs: 600_000, streamsBackMs: 100 }],
    }),
    truth,
  }),
  'a time in which nobody could write': (history, truth) => ({
    history: altered(history, { longestWithoutWriteMs: 600_000 }),
    truth,
  }),
  'a subscriber that was left behind': (history, truth, random) => {
    const one = random.pick(history.subscribers);
    const subscribers = history.subscribers.map((other) => (other === one ? { ...one, behindMs: 3_600_000 } : other));
    return { history: altered(history, { subscribers }), truth };
  },
  'a file descriptor that leaks with each stream': (history, truth, random) =>
    withResources(history, truth, random, ({ end }) => ({ ...end, descriptors: end.descriptors + 50 })),
  'memory that leaks': (history, truth, random) =>
    withResources(history, truth, random, ({ end }) => ({ ...end, residentBytes: end.residentBytes + 2 ** 30 })),
  'connections to PostgreSQL that leak': (history, truth) => ({
    history: altered(history, {
      postgresConnections: { ...history.postgresConnections, end: history.postgresConnections.most + 1 },
    }),
    truth,
  }),
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
  const one = random.pick(history.subscribers.filter(({ runs }) => idsOfRuns(runs).length > 2));
  const ids = idsOfRuns(one.runs);
  const runs = runsOfIds(change(ids, random.integer(0, ids.length - 2)));
  return {
    history: altered(history, {
      subscribers: history.subscribers.map((other) => (other === one ? { ...one, runs } : other)),
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

function withCheckpoint(history, truth, random, kind) {
  const one = random.pick(history.checkpoints.filter((checkpoint) => checkpoint.kind === kind));
  if (one === undefined) return null;
  const wrong = { ...one, fingerprint: one.fingerprint + 1 };
  return {
    history: altered(history, { checkpoints: history.checkpoints.map((other) => (other === one ? wrong : other)) }),
    truth,
  };
}

function withResources(history, truth, random, change) {
  const one = random.pick(history.resources);
  const resources = history.resources.map((other) => (other === one ? { ...one, end: change(one) } : other));
  return { history: altered(history, { resources }), truth };
}
