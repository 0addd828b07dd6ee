/** Latencies as counts in steps of 20 µs, so that those of several processes can be put together exactly. */

const stepMicroseconds = 20;
/** Longer ones are counted as this long. */
const longestMicroseconds = 10_000_000;

export class LatencyRecord {
  #counts = new Uint32Array(longestMicroseconds / stepMicroseconds + 1);

  /** @param {number} microseconds */
  add(microseconds) {
    const step = Math.min(Math.max(0, Math.floor(microseconds / stepMicroseconds)), this.#counts.length - 1);
    this.#counts[step] += 1;
  }

  /** Forgets all, and returns what there was: pairs of a step and its count. @returns {[number, number][]} */
  take() {
    const pairs = [...this.#counts.entries()].filter(([, count]) => count > 0);
    this.#counts.fill(0);
    return pairs;
  }
}

/** Percentiles in milliseconds, each the upper end of its step. @param {[number, number][]} pairs of any number of records */
export function summarizeLatencies(pairs) {
  const sorted = [...pairs].sort(([a], [b]) => a - b);
  const count = sorted.reduce((total, [, times]) => total + times, 0);
  const at = (percent) => {
    let seen = 0;
    const step = sorted.find(([, times]) => {
      seen += times;
      return seen >= (count * percent) / 100;
    });
    return step === undefined ? Number.NaN : ((step[0] + 1) * stepMicroseconds) / 1000;
  };
  return { count, p50Ms: at(50), p99Ms: at(99), p999Ms: at(99.9), maxMs: at(100) };
}
