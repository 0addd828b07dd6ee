/**
 * `npm run revocations -w bench`: two servers under writes, and streams on both whose permission is taken away at random by either of them: the key is revoked, a grant is removed, the flag that opens all
 * channels is switched off, the rule of a role is changed, the user is deleted, or the user's token runs out. A part of the trials runs while Redis is dead, so that the other server learns of it by its look
 * once a second alone.
 *
 * Noted is when the last event came that was not permitted any more, counted from the answer to the change, or from the time that the token names. Later than `limitMs` is a fault. So is a stream that had to end and did not, an event that is
 * still permitted and does not come, and anything not permitted that is shown to whoever comes back with its cursor afterwards, also of the time when it was permitted.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { createRandom } from '../chaos/random.mjs';
import { percentile } from '../kit/statistics.mjs';
import { issuerSecret, issuerSettings, signToken } from './admin-calls.mjs';
import { inParallel, runTrials } from './trial-program.mjs';
import { TrialStream } from './trial-stream.mjs';
import { startTwoServers, write } from './two-servers.mjs';

/** From the answer to the change until the last event that it forbids. */
const limitMs = 1_000;
/** How long is waited for such an event. */
const watchMs = 1_600;
const patienceMs = 60_000;
const writePauseMs = 50;
/** A database in which the flag is switched has one trial at a time. */
const flagDatabases = 4;
/** Of so many trials one after the other, the last share finds Redis dead. */
const blockTrials = 100;
const withoutRedis = 0.4;

/** What every key of a trial keeps, and what it loses. */
const kept = 'POST:kept';
const lost = 'PUBLISH:lost';
const isLost = ({ event, data }) => event === 'publish' || data.includes('"collection":"ruled"');

/** The database whose users are known by tokens of this issuer. */
const people = 'people';
/** Milliseconds for which the token of a trial is good, at least. */
const tokenMs = 4_000;

/** How a stream must end by each change; null: it goes on. */
const endsOf = {
  'key revoked': 'revoked',
  'grant removed': null,
  'flag off': null,
  'rule changed': null,
  'user deleted': 'revoked',
  'token expired': 'expired',
};
const ofKeys = ['key revoked', 'grant removed', 'flag off'];
const ofUsers = ['rule changed', 'user deleted', 'token expired'];

async function run({ count, seed, concurrency, isOver, say, progress, onCleanup }) {
  const servers = await startTwoServers({ onCleanup });
  const { pool, redis } = servers;
  const writers = new Map();
  const flags = Array.from({ length: flagDatabases }, (_, index) => `flags${index}`);
  const names = ['default', people, ...flags];
  for (const name of names) {
    if (name !== 'default') await servers.createDatabase(name);
    const grants = { rest: ['*:*'], listen: [], publish: ['*'], name: 'writer' };
    writers.set(name, (await servers.admin(0, 'POST', `${name}/keys`, grants)).key);
  }
  await servers.admin(0, 'PUT', `${people}/auth/secret`, { secret: issuerSecret });
  const auth = { ...issuerSettings, rolesFrom: 'users', userField: 'sub' };
  await servers.admin(0, 'PATCH', `${people}/settings`, { auth });
  const stop = startWriters(servers, writers);
  onCleanup(stop);

  const free = [...flags];
  const results = [];
  const faults = [];
  let done = 0;
  const trial = async (number, hasRedis) => {
    const random = createRandom(seed, `trial ${number}`);
    const kind = random.pick([...ofKeys, ...ofUsers].filter((one) => one !== 'flag off' || free.length > 0));
    const database = ofUsers.includes(kind) ? people : kind === 'flag off' ? (free.pop() ?? '') : 'default';
    const { figures, fault } = await revoke({ servers, kind, database, random, number, writer: writers.get(people) });
    if (kind === 'flag off') free.push(database);
    for (const figure of figures) results.push({ kind, hasRedis, ...figure });
    const found = [
      ...(fault === null ? [] : [fault]),
      ...figures
        .filter(({ lateMs }) => lateMs > limitMs)
        .map(({ node, lateMs }) => `an event came on the ${node} server ${Math.round(lateMs)} ms after the change`),
    ].map((what) => `trial ${number}, ${kind}, Redis ${hasRedis ? 'up' : 'dead'}: ${what}`);
    for (const one of found) say(one);
    faults.push(...found);
    done += 1;
    progress(done);
  };
  for (let first = 0; first < count && !isOver(); first += blockTrials) {
    const block = Math.min(blockTrials, count - first);
    const withRedis = block - Math.round(block * withoutRedis);
    if (first > 0) await redis.restart();
    await inParallel({ count: withRedis, concurrency, isOver }, (number) => trial(first + number, true));
    await redis.kill();
    const rest = { count: block - withRedis, concurrency, isOver };
    await inParallel(rest, (number) => trial(first + withRedis + number, false));
  }
  stop();
  faults.push(...(await checkKept(pool, results)));
  return { done, lines: [...report(results), `writes: ${stop.count()} in ${names.length} databases`], faults };
}

const flag = (name) => name.startsWith('flags');

/** Each database gets writes on both servers all the time: a document that all may hear, an event that some may, in turns. */
function startWriters({ ports }, keys) {
  let isOver = false;
  let count = 0;
  const loop = async (port, key, pauseMs, lost) => {
    for (let n = 0; !isOver; n += 1) {
      const [path, body] = n % 2 === 0 ? lost : ['/rest/kept', { n }];
      await write(port, key, path, body);
      count += 1;
      await delay(pauseMs);
    }
  };
  const failed = (error) => {
    if (!isOver) process.stderr.write(`a writer gave up: ${error.message}\n`);
  };
  for (const [name, key] of keys)
    for (const port of ports) {
      const lost = name === people ? ['/rest/ruled', {}] : ['/realtime', { event: 'lost', data: {} }];
      loop(port, key, flag(name) ? 4 * writePauseMs : writePauseMs, lost).catch(failed);
    }
  return Object.assign(
    () => {
      isOver = true;
    },
    { count: () => count },
  );
}

/** Who listens in a trial: a key, or a user with a token. `expiresAt`: of the token, in ms of the wall clock. */
async function admit({ servers, kind, database, number, writer, random }) {
  if (!ofUsers.includes(kind)) {
    const listen = kind === 'flag off' ? [kept] : [kept, lost];
    if (kind === 'flag off') await setFlag(servers, database, true);
    const { id, key } = await servers.admin(random.integer(0, 1), 'POST', `${database}/keys`, {
      name: 'trial',
      listen,
    });
    return { id, headers: { 'x-apikey': key }, expiresAt: 0 };
  }
  const [name, sub] = [`trial${number}`, `user${number}`];
  await servers.admin(0, 'POST', `${database}/roles`, {
    name,
    listen: [kept, 'POST:ruled'],
    rules: { ruled: { q: {} } },
  });
  const made = await fetch(`http://127.0.0.1:${servers.ports[0]}/rest/users`, {
    method: 'POST',
    headers: { 'x-apikey': writer, 'content-type': 'application/json' },
    body: JSON.stringify({ sub, role: name }),
  });
  const { _id: id } = await made.json();
  const lifeMs = kind === 'token expired' ? tokenMs + random.integer(0, 3_000) : 3_600_000;
  const exp = Math.ceil((Date.now() + lifeMs) / 1_000);
  return {
    id,
    headers: { authorization: `Bearer ${signToken({ sub, exp })}` },
    expiresAt: exp * 1_000,
    role: name,
  };
}

/** One trial with a stream on each server. */
async function revoke({ servers, kind, database, random, number, writer }) {
  const { ports } = servers;
  const { id, headers, expiresAt, role } = await admit({ servers, kind, database, number, writer, random });
  const streams = ports.map((port) => new TrialStream({ port, path: '/realtime', headers }));
  const end = (fault) => {
    for (const stream of streams) stream.close();
    return { figures: [], fault };
  };
  // The flag, the role and the user are known to the other server within a second; who is not known yet is refused, and asks again.
  const isThere = ({ items }) => items.some(isLost) && items.length > 3;
  for (const [index, stream] of streams.entries()) {
    const until = performance.now() + patienceMs;
    while (!(await streams[index].until(isThere, patienceMs))) {
      const isLate = expiresAt > 0 && Date.now() > expiresAt - 500;
      if (streams[index].status === 200 || performance.now() > until || isLate)
        return end(`a stream with status ${stream.status} showed nothing of what it may show`);
      await delay(200);
      streams[index] = new TrialStream({ port: ports[index], path: '/realtime', headers });
    }
  }
  await delay(random.integer(0, 300));

  const node = random.integer(0, 1);
  await change({ servers, node, kind, database, id, writer, role, expiresAt });
  const at = performance.now();
  await delay(watchMs);
  const figures = streams.map(({ items }, index) => ({
    node: kind === 'token expired' ? 'either' : index === node ? 'same' : 'other',
    database,
    lateMs: Math.max(...items.filter(isLost).map((item) => item.at)) - at,
    keptIds: items.filter((item) => item.kind === 'event' && !isLost(item)).map((item) => item.id),
  }));
  const fault = faultOf({ streams, kind }) ?? (await replay({ servers, streams, kind, headers }));
  // A server reads all keys of a database at each change of one, so those of past trials would slow down the ones to come.
  await servers.pool.query('DELETE FROM api_keys WHERE id = $1', [id]);
  if (role !== undefined) await servers.pool.query('DELETE FROM roles WHERE name = $1', [role]);
  return { ...end(fault), figures };
}

async function change({ servers, node, kind, database, id, writer, role, expiresAt }) {
  switch (kind) {
    case 'key revoked':
      return servers.admin(node, 'DELETE', `${database}/keys/${id}`);
    case 'grant removed':
      return servers.admin(node, 'PATCH', `${database}/keys/${id}`, { listen: [kept] });
    case 'flag off':
      return setFlag(servers, database, false, node);
    case 'rule changed':
      return servers.admin(node, 'PATCH', `${database}/roles/${role}`, { rules: { ruled: { q: { nobody: true } } } });
    case 'user deleted': {
      const address = `http://127.0.0.1:${servers.ports[node]}/rest/users/${id}`;
      const answer = await fetch(address, { method: 'DELETE', headers: { 'x-apikey': writer } });
      if (!answer.ok) throw new Error(`DELETE /rest/users answered ${answer.status}: ${await answer.text()}`);
      return answer.text();
    }
    default:
      return delay(Math.max(0, expiresAt - Date.now()));
  }
}

function setFlag(servers, database, global, node = 0) {
  return servers.admin(node, 'PATCH', `${database}/settings`, { realtime: { global } });
}

/** What the open streams must be by now: ended with the right word, or open and quiet about what was lost. */
function faultOf({ streams, kind }) {
  const ends = endsOf[kind];
  for (const { items, isEnded, farewell } of streams) {
    const reset = items.find((item) => item.kind === 'reset');
    if (reset !== undefined) return `a stream was reset: ${reset.data}`;
    if (ends === null && isEnded) return 'a stream ended that may go on';
    if (ends !== null && !isEnded) return 'a stream was not ended';
    if (ends !== null && farewell !== ends) return `a stream ended with ${farewell || 'no word'}, not with ${ends}`;
  }
  return null;
}

/** Comes back on both servers with the cursor of the first event: nothing that was lost is shown, though it was permitted then. */
async function replay({ servers, streams, kind, headers }) {
  for (const [index, port] of servers.ports.entries()) {
    const first = streams[index].items[0]?.id ?? 0;
    const until = Math.max(...streams.map(({ cursor }) => cursor));
    const due = streams[index].items.filter((item) => !isLost(item)).map(({ id }) => id);
    const again = new TrialStream({ port, path: `/realtime?since=${first - 1}`, headers });
    const isThere = await again.until(({ status, cursor }) => status === 401 || cursor >= until, patienceMs);
    again.close();
    if (endsOf[kind] !== null) {
      // A user of another service whose document is gone may come back, with no role.
      const refused = kind === 'user deleted' ? 403 : 401;
      if (again.status !== refused) return `who may nothing any more came back and was answered with ${again.status}`;
      continue;
    }
    if (!isThere || again.status !== 200)
      return `who came back was answered with ${again.status} and not shown everything`;
    const leaks = again.items.filter(isLost);
    if (leaks.length > 0)
      return `who came back was shown ${leaks.length} events that it may not hear, as ${leaks[0].id}`;
    const came = new Set(again.items.map(({ id }) => id));
    const missing = due.find((id) => !came.has(id));
    if (missing !== undefined) return `who came back was not shown event ${missing}, which it may hear`;
  }
  return null;
}

/** What stayed permitted came without a hole and without a double, before, across and after the change. */
async function checkKept(pool, results) {
  const faults = [];
  const inLog = new Map();
  for (const { database, keptIds, kind, node } of results) {
    if (!inLog.has(database)) inLog.set(database, await keptEvents(pool, database));
    const due = inLog.get(database);
    const begin = due.indexOf(keptIds[0]);
    const wrong = keptIds.findIndex((id, index) => due[begin + index] !== id);
    if (wrong >= 0)
      faults.push(`${kind}, ${node} server: event ${due[begin + wrong]} was due and ${keptIds[wrong]} came`);
  }
  return faults;
}

async function keptEvents(pool, database) {
  const { rows } = await pool.query(
    `SELECT e.id FROM events e JOIN databases d ON d.id = e.database_id WHERE d.name = $1 AND e.type = 'post' AND e.collection = 'kept' ORDER BY e.id`,
    [database],
  );
  return rows.map(({ id }) => id);
}

/** The last event that was not permitted any more, in ms after the answer; those that had none after it are counted alone. */
function report(results) {
  const head = ['', 'streams', 'none after', 'p50', 'p99', 'latest ms'];
  const rows = [];
  for (const kind of [...ofKeys, ...ofUsers])
    for (const hasRedis of [true, false])
      for (const node of ['same', 'other', 'either']) {
        const mine = results.filter((one) => one.kind === kind && one.hasRedis === hasRedis && one.node === node);
        if (mine.length === 0) continue;
        const late = mine.map(({ lateMs }) => Math.max(0, lateMs)).sort((a, b) => a - b);
        const none = late.filter((ms) => ms === 0).length;
        const figures = [percentile(late, 50), percentile(late, 99), late.at(-1) ?? 0].map((ms) => ms.toFixed(0));
        rows.push([
          `${kind}, Redis ${hasRedis ? 'up' : 'dead'}, ${node} server`,
          String(late.length),
          String(none),
          ...figures,
        ]);
      }
  const widths = head.map((_, column) => Math.max(...[head, ...rows].map((cells) => cells[column].length)));
  return [head, ...rows].map((cells) =>
    cells.map((cell, column) => (column === 0 ? cell.padEnd(widths[0]) : cell.padStart(widths[column]))).join('  '),
  );
}

await runTrials({
  name: 'revocations',
  what: 'Keys revoked, grants removed, the flag switched off, rules changed, users deleted and tokens run out under streams on two servers, with Redis and without.',
  ...{ count: 2_000, shortCount: 100, concurrency: 20 },
  run,
});
