/** A long list of ids, most of which follow on each other: the first and the last of each run of consecutive ones, one after the other. */

/** @param {number[]} runs @param {number} id */
export function appendToRuns(runs, id) {
  if (runs.length > 0 && runs[runs.length - 1] === id - 1) runs[runs.length - 1] = id;
  else runs.push(id, id);
}

/** @param {readonly number[]} runs @returns {number[]} */
export function idsOfRuns(runs) {
  const ids = [];
  for (let index = 0; index < runs.length; index += 2)
    for (let id = runs[index]; id <= runs[index + 1]; id += 1) ids.push(id);
  return ids;
}

/** @param {Iterable<number>} ids @returns {number[]} */
export function runsOfIds(ids) {
  const runs = [];
  for (const id of ids) appendToRuns(runs, id);
  return runs;
}
