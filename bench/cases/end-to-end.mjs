/**
 * The whole way: POST of a document, commit, every one of the subscribers has read it. At 10, 50 and 80 % of the writes per second that the server takes
 * with those subscribers, open loop, from the time at which the POST was due. Durable Streams, and Parse Server on a PostgreSQL like Tidewire's, the same way, each at
 * parts of its own ceiling.
 *
 * Overhead: less the parts that no server can do without, each measured alone: one commit of the lane's statement (pgbench, 1 client, its average), and a
 * plain loop over sockets in Node with as many subscribers at the same rate (its p50 or p99).
 */
import { createContest } from '../kit/contest.mjs';
import { runLoad } from '../kit/load.mjs';
import { startOpenLoop } from '../kit/open-loop.mjs';
import {
  durableStreamsTarget,
  message,
  parseServerTarget,
  plainTarget,
  publish,
  stamped,
  tidewireTarget,
} from '../kit/targets.mjs';
import { findTool } from '../kit/tools.mjs';
import { runStatement } from '../peers/pgbench.mjs';
import { startFleet } from '../streams/fleet.mjs';

const shares = [10, 50, 80];

/** Documents instead of custom events. */
async function documentTarget(product) {
  const target = await tidewireTarget(product);
  return { ...target, publishUrl: new URL('/rest/company', target.publishUrl).href };
}

export const endToEnd = {
  name: 'end-to-end',
  title: 'From POST to every subscriber, at parts of the write ceiling',

  /** @param {import('../run.mjs').Context} context */
  async run({ runs, seconds, subscribers, clientProcesses, product, scratch, say }) {
    const contest = createContest(say);
    const targets = await contest.start([() => documentTarget(product), durableStreamsTarget, parseServerTarget]);
    const limit = await plainTarget();
    const commitMs = await measureCommit(await scratch(), Math.min(seconds, 5), contest.skipped);
    const details = { commitMs };
    const results = {};
    const open = async (target) => {
      const { dialect, port, subscribePath: path, subscribeHeaders: headers } = target;
      const common = { dialect, port, path, headers, subscribers, processes: clientProcesses };
      return { fleet: await startFleet({ ...common, measureLatency: true }), next: 1 };
    };
    const limitState = await open(limit);
    for (const target of targets) {
      await contest.attempt(target, async () => {
        const state = await open(target);
        const ceiling = await measureCeiling(target, state, Math.min(seconds, 5), say);
        const isOurs = target.name === 'Tidewire';
        for (const share of shares) {
          const perSecond = Math.max(1, Math.round((ceiling * share) / 100));
          for (let run = 1; run <= runs; run += 1) {
            say(`${target.name} at ${share} % of ${Math.round(ceiling)} writes/s, run ${run} of ${runs}`);
            const result = await measureRate(target, state, perSecond, seconds);
            contest.note(target, result.faults);
            if (isOurs) {
              // So many deliveries may be more than plain sockets can do.
              result.limit = await contest.attempt(limit, () => measureRate(limit, limitState, perSecond, seconds));
              contest.note(limit, result.limit?.faults ?? []);
            }
            const all = results[target.name] ?? {};
            results[target.name] = { ...all, [share]: [...(all[share] ?? []), { perSecond, ...result }] };
          }
        }
        await state.fleet.stop();
      });
    }
    await limitState.fleet.stop();
    for (const target of [...targets, limit]) await target.stop();
    const { faults, peerFaults, skipped } = contest;
    return { rows: rowsOf(results, commitMs), faults, peerFaults, skipped, details: { ...details, ...results } };
  },
};

async function measureCommit({ address, databaseId, collectionId, pool }, seconds, skipped) {
  const pgbench = findTool('pgbench');
  if ('missing' in pgbench) {
    skipped.push({ other: 'pgbench', why: pgbench.missing });
    return null;
  }
  const common = { pgbench: pgbench.path, address, databaseId, collectionId, pool };
  return (await runStatement({ ...common, batchSize: 1, clients: 1, seconds })).latencyMs;
}

/** Writes per second with the subscribers there. */
async function measureCeiling(target, state, seconds, say) {
  say(`${target.name}: write ceiling`);
  const last = 900_000_000;
  const { publishUrl: url, publishHeaders: headers, connections } = target;
  const load = { url, headers, body: { ...message }, firstNumber: 500_000_000, connections, seconds };
  const { perSecond } = await runLoad(load);
  await publish(target, stamped(message, last, 0));
  const { faults } = await state.fleet.reach(last, 120_000);
  if (faults.length > 0) throw new Error(faults[0]);
  await state.fleet.latencies();
  return perSecond;
}

async function measureRate(target, state, perSecond, seconds) {
  const loop = startOpenLoop({
    url: target.publishUrl,
    headers: target.publishHeaders,
    perSecond,
    bodyOf: (number, due) => stamped(message, number, due),
    firstNumber: state.next,
  });
  await new Promise((resolve) => setTimeout(resolve, seconds * 1000));
  const last = await loop.stop();
  state.next = last + 1;
  const { faults } = await state.fleet.reach(last);
  const { p50Ms, p99Ms, p999Ms } = await state.fleet.latencies();
  const answered = loop.between(0, Number.POSITIVE_INFINITY);
  return { p50Ms, p99Ms, p999Ms, answeredP50Ms: answered.p50Ms, answeredP99Ms: answered.p99Ms, faults };
}

function rowsOf(results, commitMs) {
  const of = (all, field) => all?.map((result) => result[field]);
  const { Tidewire: mine = {}, ...others } = results;
  return shares.flatMap((share) => {
    const ours = mine[share];
    if (ours === undefined) return [];
    const where = `${share} % (${Math.round(ours[0].perSecond)}/s)`;
    const against = (what, field) =>
      Object.entries(others)
        .filter(([, shared]) => shared[share] !== undefined)
        .map(([name, shared]) => ({
          ...{ what: `${what}, ${where}`, ours: of(ours, field), better: 'less' },
          ...{ other: `${name} at its ${share} %, ${shared[share][0].perSecond}/s`, theirs: of(shared[share], field) },
        }));
    const limited = ours.filter(({ limit }) => limit !== null);
    const parts = ['p50Ms', 'p99Ms'].map((field) => ({
      what: `overhead in its ${field.slice(0, 3)} ms, ${where}`,
      ...{ ours: limited.map((result) => result[field] - result.limit[field] - commitMs), better: 'less' },
      ...{ other: `less the commit (${commitMs?.toFixed(2)} ms) and plain sockets:` },
      ...{ theirs: limited.map(({ limit }) => limit[field]) },
      ...{ isPart: true, ...(field === 'p99Ms' ? { targetAtMost: 3 } : {}) },
    }));
    const hasParts = commitMs !== null && limited.length > 0;
    const isAlone = Object.values(others).every((shared) => shared[share] === undefined);
    const alone = isAlone ? [{ what: `p99 ms, ${where}`, ours: of(ours, 'p99Ms'), other: '', better: 'less' }] : [];
    return [
      ...[...against('p50 ms', 'p50Ms'), ...against('p99 ms', 'p99Ms'), ...alone, ...(hasParts ? parts : [])],
      ...against('p99 ms until POST is answered', 'answeredP99Ms'),
    ];
  });
}
