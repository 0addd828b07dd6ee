/**
 * Runs the contenders in turns (A, B, A, B …), so that what changes on the machine meanwhile hits all of them.
 * @template T
 * @param {number} runs
 * @param {Record<string, () => Promise<T>>} contenders
 * @param {(line: string) => void} say
 * @returns {Promise<Record<string, T[]>>}
 */
export async function alternate(runs, contenders, say) {
  /** @type {Record<string, any[]>} */
  const results = Object.fromEntries(Object.keys(contenders).map((name) => [name, []]));
  for (let run = 1; run <= runs; run += 1) {
    for (const [name, measure] of Object.entries(contenders)) {
      say(`run ${run} of ${runs}: ${name}`);
      results[name].push(await measure());
    }
  }
  return results;
}
