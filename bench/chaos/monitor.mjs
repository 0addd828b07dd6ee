/** Looks at the run while it goes on: how far subscribers are behind, how long no write got through, and what was done. */

const everyMs = 250;
const tellEveryMs = 30_000;

/**
 * @param {{ history: import('./history.mjs').History, subscribers: import('./subscribers.mjs').Subscribers, topology: import('./topology.mjs').Topology, progress: Record<string, number>, outage: { isPostgresAway: boolean }, say: (line: string) => void }} options
 */
export function startMonitor({ history, subscribers, topology, progress, outage, say }) {
  const began = performance.now();
  /** When which event was known to be acknowledged; those that all subscribers have are let go. @type {{ at: number, head: number }[]} */
  let heads = [];
  /** All times by which a subscriber was behind, in classes of 100 ms. */
  const classes = new Map();
  let last = { at: began, head: history.acknowledgedHead };
  let told = began;
  let tick = began;

  function look() {
    const now = performance.now();
    // A harness that gets no processor cannot tell who else was late.
    const wasLate = now - tick > 4 * everyMs;
    tick = now;
    const head = history.acknowledgedHead;
    if (head > last.head) {
      heads.push({ at: now, head });
      last = { at: now, head };
    }
    if (!isAble() || wasLate) last.at = now;
    history.longestWithoutWriteMs = Math.max(history.longestWithoutWriteMs, now - last.at);
    if (wasLate) return;
    for (const { considered, record } of subscribers) {
      const first = heads.find((one) => one.head > considered);
      const behindMs = first === undefined ? 0 : now - first.at;
      record.behindMs = Math.max(record.behindMs, behindMs);
      const group = Math.floor(behindMs / 100);
      classes.set(group, (classes.get(group) ?? 0) + 1);
    }
    const least = Math.min(...subscribers.map(({ considered }) => considered));
    heads = heads.filter((one) => one.head > least);
    if (now - told > tellEveryMs) {
      told = now;
      tell();
    }
  }

  function tell() {
    const serving = topology.nodes.filter((node) => node.isServing).map(({ name }) => name);
    say(
      `${Math.round((performance.now() - began) / 1000)} s: ${history.acknowledgedHead} events, ${history.queryStarts} starts of queries, ` +
        `serving: ${serving.join(' ') || 'nobody'}; ${JSON.stringify(progress)}; faults so far: ${history.faults.length + history.ownEnds.length}`,
    );
  }

  /** Whether somebody can be expected to take a write and store it. */
  function isAble() {
    return (
      !outage.isPostgresAway &&
      [topology.apis, topology.realtimes].every((nodes) => nodes.some((node) => node.isServing))
    );
  }

  const timer = setInterval(look, everyMs);
  return {
    /** Ends it; by how many ms subscribers were behind the acknowledged writes, at all times that were looked at. */
    stop() {
      clearInterval(timer);
      const sorted = [...classes].sort(([a], [b]) => a - b);
      const total = sorted.reduce((sum, [, count]) => sum + count, 0);
      const at = (share) => {
        let seen = 0;
        for (const [group, count] of sorted) {
          seen += count;
          if (seen >= total * share) return group;
        }
        return 0;
      };
      return { p50: at(0.5) * 100, p90: at(0.9) * 100, p99: at(0.99) * 100, most: (sorted.at(-1)?.[0] ?? 0) * 100 };
    },
  };
}
