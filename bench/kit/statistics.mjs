/** Medians, ranges, percentiles: of few samples, so nothing is interpolated. */

/** @param {readonly number[]} samples */
export function median(samples) {
  const sorted = [...samples].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** @param {readonly number[]} samples */
export function summarize(samples) {
  return { median: median(samples), min: Math.min(...samples), max: Math.max(...samples), samples };
}

/**
 * The smallest sample that at least `percent` of all do not exceed.
 * @param {ArrayLike<number>} sorted ascending
 * @param {number} percent 0 to 100
 */
export function percentile(sorted, percent) {
  if (sorted.length === 0) return Number.NaN;
  return sorted[Math.min(sorted.length - 1, Math.max(0, Math.ceil((sorted.length * percent) / 100) - 1))];
}

/**
 * Welch's t for two samples of different variance (Welch, 1947): how many standard errors their means are apart. Each needs two samples at least.
 * @param {readonly number[]} left @param {readonly number[]} right
 */
export function welchT(left, right) {
  const [a, b] = [left, right].map((samples) => {
    const mean = samples.reduce((sum, one) => sum + one, 0) / samples.length;
    const variance = samples.reduce((sum, one) => sum + (one - mean) ** 2, 0) / (samples.length - 1);
    return { mean, error: variance / samples.length };
  });
  const error = Math.sqrt(a.error + b.error);
  return error === 0 ? 0 : (a.mean - b.mean) / error;
}
