/**
 * Several servers in one measurement. What goes wrong with Tidewire fails the run. What goes wrong with a peer or a limit program voids its figures and is
 * reported: it is stopped and takes no further part.
 *
 * @typedef {import('./targets.mjs').Target} Target
 */

/** @param {(line: string) => void} say */
export function createContest(say) {
  const faults = [];
  const peerFaults = [];
  const skipped = [];
  const out = new Set();
  const isOurs = ({ dialect, name }) => dialect === 'tidewire' && name.startsWith('Tidewire');

  /** What it has not worked off would disturb the others. */
  function putOut(target) {
    out.add(target.name);
    target.stop().catch((error) => say(`${target.label} could not be stopped: ${error.message}`));
  }

  /** Gives null when the peer is out, or goes out now because the work rejects. */
  async function attempt(target, work) {
    if (out.has(target.name)) return null;
    if (isOurs(target)) return work();
    try {
      return await work();
    } catch (error) {
      putOut(target);
      skipped.push({ other: target.label, why: error.message.split('\n')[0] });
      say(`${target.label} is out: ${error.message.split('\n')[0]}`);
      return null;
    }
  }

  function note(target, found) {
    (isOurs(target) ? faults : peerFaults).push(...found.map((fault) => `${target.label}: ${fault}`));
    if (found.length > 0 && !isOurs(target) && !out.has(target.name)) putOut(target);
  }

  return {
    faults,
    peerFaults,
    skipped,
    attempt,
    note,
    /** Starts those that are installed. @param {(() => Promise<Target | { missing: string }>)[]} starters @returns {Promise<Target[]>} */
    async start(starters) {
      const targets = [];
      for (const start of starters) {
        const found = await start();
        if ('missing' in found) skipped.push({ other: found.missing.split(' ')[0], why: found.missing });
        else targets.push(found);
      }
      return targets;
    },
    /**
     * Each alone, in turns: a server is started for its measurement and stopped behind it, for nothing of another one is to be in memory or busy meanwhile. Gives the results
     * without faults, by the name of the target, and the targets that were found.
     * @template {{ faults: string[] }} T
     * @param {number} runs @param {(() => Promise<Target | { missing: string }>)[]} starters @param {(target: Target) => Promise<T>} measure
     * @returns {Promise<{ results: Record<string, T[]>, targets: Target[] }>}
     */
    async roundsAlone(runs, starters, measure) {
      const results = {};
      const known = new Map();
      for (let run = 1; run <= runs; run += 1) {
        for (const start of starters) {
          const [target] = await this.start([start]);
          if (target === undefined) continue;
          known.set(target.name, target);
          say(`run ${run} of ${runs}: ${target.name}`);
          const result = await attempt(target, () => measure(target));
          await target.stop();
          if (result === null) continue;
          note(target, result.faults);
          if (result.faults.length === 0) results[target.name] = [...(results[target.name] ?? []), result];
        }
      }
      return { results, targets: [...known.values()] };
    },
    /**
     * In turns, so that what changes on the machine meanwhile hits all of them. Gives the results without faults, by the name of the target.
     * @template {{ faults: string[] }} T
     * @param {number} runs @param {Target[]} targets @param {(target: Target) => Promise<T>} measure
     * @returns {Promise<Record<string, T[]>>}
     */
    async rounds(runs, targets, measure) {
      const results = {};
      for (let run = 1; run <= runs; run += 1) {
        for (const target of targets) {
          if (!out.has(target.name)) say(`run ${run} of ${runs}: ${target.name}`);
          const result = await attempt(target, () => measure(target));
          if (result === null) continue;
          note(target, result.faults);
          if (result.faults.length === 0) results[target.name] = [...(results[target.name] ?? []), result];
        }
      }
      return results;
    },
  };
}

/** One field of results, or undefined when there are none. */
export function fieldOf(results, field) {
  return results === undefined || results.length === 0 ? undefined : results.map((result) => result[field]);
}

/**
 * Rows that hold Tidewire against each other target that has results; its own alone when none has.
 * @param {Record<string, any[]>} results @param {Target[]} targets
 * @param {{ what: string, field: string, better: 'more' | 'less', targets?: Record<string, number>, targetAtMost?: number }} options `targets`: ratios by the target's name
 */
export function rowsAgainst(results, targets, { what, field, better, targets: ratios = {}, targetAtMost }) {
  const ours = fieldOf(results.Tidewire, field);
  if (ours === undefined) return [];
  const rows = targets
    .filter(({ name }) => name !== 'Tidewire')
    .flatMap(({ name, label }) => {
      const theirs = fieldOf(results[name], field);
      const row = { what, ours, other: label, theirs, better, targetRatio: ratios[name], targetAtMost };
      return theirs === undefined ? [] : [row];
    });
  return rows.length > 0 ? rows : [{ what, ours, other: '', better, targetAtMost }];
}
