/**
 * `npm run resumes -w bench`: two servers, writers on both, and a log that is cut all the time to its newest events. Clients come back with cursors of any age: within the log, a few events around its oldest one,
 * from long before, and such that were never given out; by header and by query, as a stream and as a poll, with a key that hears everything and with one that hears a part. Now and then a server is killed, so that
 * what it replays comes from PostgreSQL and not from its memory.
 *
 * Each must get either every event after its cursor that it may hear, once and in order and with the same data as everybody, or a `reset` that says why, and then every event from where the reset says on. A reset
 * where the log still had everything is a fault, too. What there was is known from two witnesses: streams that were open on each server from the first event on.
 */
import { createLogRetention } from '@tidewire/change-log/log-retention';
import { createSqlPool } from '@tidewire/db/sql-pool';
import { createRandom } from '../chaos/random.mjs';
import { waitFor } from '../kit/processes.mjs';
import { checkResume } from './check-resume.mjs';
import { inParallel, runTrials } from './trial-program.mjs';
import { TrialStream } from './trial-stream.mjs';
import { startTwoServers, write } from './two-servers.mjs';

/** Events that the log keeps. Those that are read at a time end at each 500th, wherever the log begins. */
const keepEvents = 600;
/** Writers on each server, and the pause of each between two writes. */
const writersEach = 2;
const writePauseMs = 40;
/** How long a client waits for what it is due. */
const patienceMs = 60_000;

const everything = ['*:*'];
const part = ['POST:alpha', 'PUBLISH:tide.*'];
/** What the key that hears a part may hear, by type and data of the typed stream. */
function isOfPart(type, payload) {
  if (type === 'post') return payload.collection === 'alpha';
  return type === 'publish' && payload.event.startsWith('tide.');
}

/** Everything that ever came, on both servers. */
class Witness {
  /** By id. @type {Map<number, { event: string, data: string, isOfPart: boolean }>} */
  events = new Map();
  faults = [];
  #last = [0, 0];
  #streams;

  /** @param {number[]} ports @param {string} key */
  constructor(ports, key) {
    this.#streams = ports.map((_, node) => this.#open({ ports, key, node, tries: 0 }));
  }

  /** On the server of its number; when that is down, on the other one. */
  #open({ ports, key, node, tries }) {
    const port = ports[(node + tries) % ports.length];
    const from = this.#last[node];
    const stream = new TrialStream({
      port,
      path: '/realtime',
      headers: { 'x-apikey': key, 'last-event-id': String(from) },
    });
    const take = async () => {
      while (!stream.isEnded) {
        await stream.until(({ items }) => items.length > 0, 1_000);
        for (const item of stream.items.splice(0)) this.#take(item, node);
      }
      const again = () => {
        this.#streams[node] = this.#open({ ports, key, node, tries: stream.status === 0 ? tries + 1 : 0 });
      };
      if (!this.isOver) setTimeout(again, 100);
    };
    void take();
    return stream;
  }

  #take({ kind, id, event, data }, node) {
    if (kind === 'reset') {
      this.faults.push(`the witness on server ${node + 1} was reset: ${data}`);
      this.#last[node] = id;
      return;
    }
    if (id !== this.#last[node] + 1)
      this.faults.push(`the witness on server ${node + 1} saw ${id} after ${this.#last[node]}`);
    this.#last[node] = id;
    const known = this.events.get(id);
    if (known === undefined) this.events.set(id, { event, data, isOfPart: isOfPart(event, JSON.parse(data)) });
    else if (known.data !== data || known.event !== event)
      this.faults.push(`event ${id} is not the same on both servers`);
  }

  isOver = false;
  /** The last event that both have seen. */
  get reach() {
    return Math.min(...this.#last);
  }

  close() {
    this.isOver = true;
    for (const stream of this.#streams) stream.close();
  }
}

async function run({ count, seed, concurrency, isOver, say, progress, onCleanup }) {
  const servers = await startTwoServers({ onCleanup });
  const { ports, pool } = servers;
  const keys = [];
  for (const listen of [everything, part]) {
    const grants = { rest: ['*:*'], listen, publish: ['*'], name: 'trials' };
    keys.push((await servers.admin(0, 'POST', 'default/keys', grants)).key);
  }
  await servers.admin(0, 'PATCH', 'default/settings', { log: { keepEvents } });
  const witness = new Witness(ports, keys[0]);
  onCleanup(() => witness.close());
  for (let batch = 0; batch < 2; batch += 1) {
    const documents = Array.from({ length: 500 }, (_, n) => ({ n, text: 'before' }));
    await write(ports[batch % 2], keys[0], '/rest/alpha', documents);
  }
  const stop = startWriters(servers, keys[0], createRandom(seed, 'writers'));
  onCleanup(stop);
  const retention = startRetention(servers);
  onCleanup(() => retention.close());
  await waitFor('the log is cut for the first time', async () => (await reachOf(pool)).oldest > 100, {
    timeoutMs: 120_000,
    intervalMs: 200,
  });
  say('the log is being cut');

  const tally = {
    exact: 0,
    'reset: retention': 0,
    'reset: unknown': 0,
    'overtaken on the way': 0,
    'server killed: asked again': 0,
    events: 0,
  };
  const faults = [];
  const restarts = Math.max(1, Math.round(count / 3_000));
  let done = 0;
  const restarting = killNowAndThen(servers, {
    restarts,
    isDue: (nth) => done >= ((nth + 1) * count) / (restarts + 1),
    isOver: () => isOver() || done >= count,
  });
  await inParallel({ count, concurrency, isOver }, async (number) => {
    const fault = await resume({ servers, keys, witness, tally, random: createRandom(seed, `resume ${number}`) });
    if (fault !== null) {
      faults.push(`resume ${number}: ${fault}`);
      say(`resume ${number}: ${fault}`);
    }
    done += 1;
    progress(done, JSON.stringify(tally));
  });
  const killed = await restarting;
  const { head, oldest } = await reachOf(pool);
  stop();
  faults.push(...witness.faults);
  return {
    done,
    lines: [
      ...Object.entries(tally).map(([what, value]) => `${what.padEnd(30)} ${String(value).padStart(9)}`),
      `${'servers killed'.padEnd(30)} ${String(killed).padStart(9)}`,
      `the log ended at event ${head} and began at ${oldest}: ${retention.deleted()} events were cut in ${retention.rounds()} rounds`,
    ],
    faults,
  };
}

/** Both servers get writes all the time; a killed one is waited for. */
function startWriters({ ports }, key, random) {
  let isOver = false;
  const loop = async (port) => {
    for (let n = 0; !isOver; n += 1) {
      const text = 'x'.repeat(random.integer(0, 300));
      const [path, body] = random.pick([
        ['/rest/alpha', { n, text }],
        ['/rest/beta', { n, text }],
        ['/realtime', { event: 'tide.high', data: { n, text } }],
        ['/realtime', { event: 'other', data: { n, text } }],
      ]);
      await write(port, key, path, body).catch(() => new Promise((resolve) => setTimeout(resolve, 200)));
      await new Promise((resolve) => setTimeout(resolve, writePauseMs));
    }
  };
  for (const port of ports) for (let n = 0; n < writersEach; n += 1) void loop(port);
  return () => {
    isOver = true;
  };
}

/** As a worker does it, only more often, and nothing is too young. */
function startRetention({ address }) {
  const options = '-c tidewire.lane=on -c synchronous_commit=off';
  const pool = createSqlPool(address, { max: 1, onError: () => undefined, sessionOptions: options });
  const onError = (error) => process.stderr.write(`${error.stack}\n`);
  const retention = createLogRetention({ pool, onError, intervalMs: 0, stepRows: 200, youngestMs: 100 });
  let [deleted, rounds, isOver] = [0, 0, false];
  const loop = async () => {
    while (!isOver) {
      deleted += (await retention.run()) ?? 0;
      rounds += 1;
      await new Promise((resolve) => setTimeout(resolve, 150));
    }
  };
  const ended = loop().catch(onError);
  return {
    deleted: () => deleted,
    rounds: () => rounds,
    async close() {
      isOver = true;
      await retention.close();
      await ended;
      await pool.end();
    },
  };
}

/** Returns how often. */
async function killNowAndThen(servers, { restarts, isDue, isOver }) {
  let killed = 0;
  for (let nth = 0; nth < restarts; nth += 1) {
    while (!isDue(nth) && !isOver()) await new Promise((resolve) => setTimeout(resolve, 50));
    if (isOver()) break;
    await servers.killAndRestart(nth % 2);
    killed += 1;
  }
  return killed;
}

async function reachOf(pool) {
  const { rows } = await pool.query(
    'SELECT h.head, h.oldest FROM log_heads h JOIN databases d ON d.id = h.database_id WHERE d.name = $1',
    ['default'],
  );
  return rows[0];
}

/** One client that comes back. Null, or what was wrong. */
async function resume({ servers, keys, witness, tally, random }) {
  const { ports, pool } = servers;
  const isWhole = random.chance(0.6);
  const isPoll = random.chance(0.2);
  const by = random.pick(['header', 'since', 'lastEventId', 'last_event_id']);
  const age = random.next();
  const kind = random.next();
  const more = random.integer(0, 20);
  const offset = random.integer(-12, 12);
  let node = random.integer(0, 1);
  for (;;) {
    const before = await reachOf(pool);
    const cursor = cursorOf(before, { kind, age, offset });
    const client = { port: ports[node], key: keys[isWhole ? 0 : 1], cursor, by, until: before.head + more };
    const answer = await (isPoll && cursor >= 0 ? poll(client) : stream(client));
    if (answer === 'gone') {
      tally['server killed: asked again'] += 1;
      await new Promise((resolve) => setTimeout(resolve, 100));
      node = 1 - node;
      continue;
    }
    return check({ answer, cursor, before, after: await reachOf(pool), isWhole, witness, tally });
  }
}

/** -1 stands for something that is no number. */
function cursorOf({ head, oldest }, { kind, age, offset }) {
  if (kind < 0.45) return Math.round(head - age * (head - oldest));
  if (kind < 0.75) return Math.max(0, oldest - 1 + offset);
  if (kind < 0.95) return Math.floor(age * oldest);
  if (kind < 0.98) return head + 1_000_000;
  return -1;
}

/** @returns {Promise<'gone' | 'late' | { items: import('./trial-stream.mjs').Item[], cursor: number }>} */
async function stream({ port, key, cursor, by, until }) {
  const text = cursor < 0 ? 'nonsense' : String(cursor);
  const path = by === 'header' ? '/realtime' : `/realtime?${by}=${text}`;
  const headers = { 'x-apikey': key, ...(by === 'header' ? { 'last-event-id': text } : {}) };
  const one = new TrialStream({ port, path, headers });
  const isThere = await one.until((seen) => seen.cursor >= until, patienceMs);
  one.close();
  if (![0, 200, 503].includes(one.status)) throw new Error(`GET ${path} answered ${one.status}`);
  if (!isThere) return one.isEnded ? 'gone' : 'late';
  return { items: one.items, cursor: one.cursor };
}

/** The same by `GET /events`, page after page. */
async function poll({ port, key, cursor, until }) {
  const items = [];
  const over = performance.now() + patienceMs;
  let next = cursor;
  do {
    if (performance.now() > over) return 'late';
    const url = `http://127.0.0.1:${port}/events?since=${next}&wait=5&max=500`;
    const answer = await fetch(url, { headers: { 'x-apikey': key } }).then(
      async (response) => (response.ok ? response.json() : { status: response.status, text: await response.text() }),
      () => null,
    );
    // Killed, or just starting.
    if (answer === null || answer.status === 503) return 'gone';
    if (answer.status !== undefined) throw new Error(`GET /events answered ${answer.status}: ${answer.text}`);
    if (answer.reset !== undefined) {
      items.push({ kind: 'reset', id: answer.reset.newest, event: 'reset', data: JSON.stringify(answer.reset), at: 0 });
      next = answer.reset.newest;
      continue;
    }
    for (const { id, type, at, event, collection, data } of answer.data) {
      const payload = collection === null ? { event, data } : { event, collection, data };
      items.push({ kind: 'event', id, event: type, data: JSON.stringify(payload), at });
    }
    next = answer.next;
  } while (next < until);
  return { items, cursor: next };
}

/** What came, against what was due. Null, or what was wrong. */
async function check({ answer, witness, tally, ...resume }) {
  const { cursor, isWhole } = resume;
  if (answer === 'late') return `nothing was complete ${patienceMs / 1000} s after coming back with ${cursor}`;
  await waitFor('the witnesses saw as much', () => witness.reach >= answer.cursor, { timeoutMs: patienceMs });
  const verdict = checkResume({ ...resume, answer, events: witness.events });
  if ('fault' in verdict) return `came back with ${cursor} (${isWhole ? 'all' : 'part'}): ${verdict.fault}`;
  tally.events += verdict.shown;
  if (verdict.resets.length === 0) tally.exact += 1;
  for (const { reason, isFirst } of verdict.resets) tally[isFirst ? `reset: ${reason}` : 'overtaken on the way'] += 1;
  return null;
}

await runTrials({
  name: 'resumes',
  what: 'Clients that come back with cursors of any age while the log is written and cut: each gets all of it, or a reset.',
  ...{ count: 20_000, shortCount: 500, concurrency: 24 },
  run,
});
