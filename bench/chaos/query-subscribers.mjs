/**
 * Subscribers of live queries: each begins at a random moment, carries out the steps that it is sent, is gone again after a moment and comes back
 * with another query. What it has rebuilt is noted as a fingerprint, together with the event at which it had it.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { startCutProxy } from './cut-proxy.mjs';
import { fingerprintOfJson } from './fingerprint.mjs';
import { fingerprintOfState, makeLiveQuery } from './live-query-model.mjs';
import { createRandom } from './random.mjs';
import { openStream } from './stream-connection.mjs';

/** Of the states between the first and the last of a start, so many are noted. */
const notedProbability = 0.05;

/** @typedef {Awaited<ReturnType<typeof startQuerySubscribers>>[number]} QuerySubscriber */

/** @param {{ count: number, topology: import('./topology.mjs').Topology, keys: Record<string, string>, seed: number, history: import('./history.mjs').History }} options */
export async function startQuerySubscribers({ count, topology, keys, seed, history }) {
  const subscribers = [];
  for (let index = 0; index < count; index += 1) {
    const name = `query subscriber ${index}`;
    const random = createRandom(seed, name);
    const chooser = createRandom(seed, `${name}'s line`);
    const proxy = await startCutProxy({ chooseTarget: () => chooser.pick(topology.realtimes), random: chooser });
    subscribers.push(startQuerySubscriber({ name, proxy, random, history, key: keys.all }));
  }
  return subscribers;
}

function startQuerySubscriber({ name, proxy, random, history, key }) {
  let isStopped = false;
  let isLasting = false;
  let query = makeLiveQuery(random);
  let state = new LiveState();
  let isFirst = true;
  /** @type {ReturnType<typeof openStream> | undefined} */
  let stream;
  /** Wakes a start that would end by itself. */
  let goOn = () => {};

  function note(kind) {
    if (state.at !== null)
      history.checkpoints.push({ subscriber: name, query, id: state.at, fingerprint: state.fingerprint(), kind });
  }

  function take({ id, event, data }) {
    if (data === null || event === 'ping' || event === 'message') return;
    if (event === 'reset' || event === 'revoked' || event === 'expired')
      return history.fault(`${name} was told ${event}: ${data}`);
    const wrong = state.apply(event, JSON.parse(data), id);
    if (wrong !== null) history.fault(`${name}: ${wrong} (${query.collection}?${query.search})`);
    if (id === undefined || state.at === null) return;
    if (isFirst) {
      isFirst = false;
      history.queryStarts += 1;
      note('first');
    } else if (random.chance(notedProbability)) note('between');
  }

  async function startOnce() {
    state = new LiveState();
    isFirst = true;
    const lifeMs = random.integer(200, 5_000);
    stream = openStream({
      port: proxy.port,
      path: `/rest/${query.collection}/stream?${query.search}`,
      headers: { 'x-apikey': key },
      onBlock: take,
      onRefused: (text) => history.fault(`${name}: ${text} (${query.collection}?${query.search})`),
    });
    const end = stream.destroy;
    const timer = setTimeout(() => isLasting || end(), lifeMs);
    goOn = () => clearTimeout(timer);
    await stream.ended;
    clearTimeout(timer);
    if (!isLasting) note('last');
  }

  async function run() {
    while (!isStopped) {
      await startOnce();
      await delay(random.integer(0, 500));
      if (!isLasting) query = makeLiveQuery(random);
    }
  }

  const running = run();
  return {
    proxy,
    name,
    get query() {
      return query;
    },
    /** From now on it keeps its query, and its line as long as that lives. */
    last() {
      isLasting = true;
      goOn();
    },
    fingerprint: () => state.fingerprint(),
    /** Notes what it has in the end, which must be the state at the newest event. */
    noteFinal(head) {
      history.checkpoints.push({ subscriber: name, query, id: head, fingerprint: state.fingerprint(), kind: 'final' });
    },
    async stop() {
      isStopped = true;
      isLasting = true;
      stream?.destroy();
      await running;
      proxy.close();
    },
  };
}

/** What a page shows: built from the snapshot, moved by each step as docs/api.md says. */
class LiveState {
  /** The event after which the rows were these; null within a group of steps that belong together. @type {number | null} */
  at = null;
  /** @type {{ id: string, fingerprint: number }[]} */
  #rows = [];
  /** @type {number | null} */
  #total = null;

  /** What is wrong with the step, or null. */
  apply(event, data, id) {
    const wrong = this.#step(event, data);
    this.at = id === undefined ? null : Number(id);
    return wrong;
  }

  #step(event, data) {
    switch (event) {
      case 'snapshot':
        this.#rows = data.data.map(rowOf);
        this.#total = data.totals?.total ?? null;
        return null;
      case 'enter':
        return this.#put(data.index, data.document);
      case 'change':
        return this.#take(data.from, data.document._id) ?? this.#put(data.index, data.document);
      case 'leave':
        return this.#take(data.from, data._id);
      case 'totals':
        this.#total = data.totals.total;
        return null;
      default:
        return `a step of the unknown kind ${event}`;
    }
  }

  #put(index, document) {
    if (index > this.#rows.length) return `a document enters at ${index} of ${this.#rows.length}`;
    this.#rows.splice(index, 0, rowOf(document));
    return null;
  }

  #take(from, id) {
    const [row] = this.#rows.splice(from, 1);
    return row?.id === id ? null : `${id} leaves at ${from}, where ${row?.id} is`;
  }

  fingerprint() {
    return fingerprintOfState(
      this.#rows.map(({ fingerprint }) => fingerprint),
      this.#total,
    );
  }
}

function rowOf(document) {
  return { id: document._id, fingerprint: fingerprintOfJson(document) };
}
