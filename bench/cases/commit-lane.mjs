/**
 * Commits of the lane, in process, next to pgbench with the lane's own statement on the same Postgres: the statement's text and its values
 * are those that the lane sends for a batch of the size that it had in the measured run.
 *
 * Checked: the lane's hints carry every id once and in order, and the log in Postgres is as long as its newest id.
 */
import { fileURLToPath } from 'node:url';
import { alternate } from '../kit/alternate.mjs';
import { runToEnd } from '../kit/processes.mjs';
import { findTool } from '../kit/tools.mjs';
import { runStatement } from '../peers/pgbench.mjs';

const laneScript = fileURLToPath(new URL('../peers/lane-writer.mjs', import.meta.url));

export const commitLane = {
  name: 'commits',
  title: 'Commits of the lane in process (document + event + dense id, fsync on)',

  /** @param {import('../run.mjs').Context} context */
  async run({ runs, seconds, scratch, say }) {
    const pgbench = findTool('pgbench');
    const { address, databaseId, collectionId, pool } = await scratch();
    const rows = [];
    const faults = [];
    const skipped = 'missing' in pgbench ? [{ other: 'pgbench', why: pgbench.missing }] : [];
    const details = {};

    const writeWith = async (inFlight, length) => {
      const argument = JSON.stringify({ address, databaseId, inFlight, seconds: length });
      const result = JSON.parse(
        await runToEnd(process.execPath, [laneScript, argument], { env: { ...process.env, NODE_ENV: 'production' } }),
      );
      faults.push(...result.faults);
      return result;
    };

    for (const inFlight of [64, 256]) {
      say(`${inFlight} in flight, warm-up`);
      const { batchSize } = await writeWith(inFlight, Math.min(seconds, 10));
      const contenders = { lane: () => writeWith(inFlight, seconds) };
      if ('path' in pgbench) {
        const statement = { pgbench: pgbench.path, address, databaseId, collectionId, batchSize, seconds, pool };
        contenders.pgbench = () => runStatement({ ...statement, clients: 1 });
        contenders['pgbench, 2 clients'] = () => runStatement({ ...statement, clients: 2 });
      }
      const results = await alternate(runs, contenders, (line) => say(`${inFlight} in flight, ${line}`));
      details[inFlight] = { batchSize, ...results };
      rows.push(...rowsOf(inFlight, batchSize, results));
    }
    const { rows: heads } = await pool.query(
      'SELECT count(*) AS events, max(id) AS newest FROM events WHERE database_id = $1',
      [databaseId],
    );
    if (heads[0].events !== heads[0].newest)
      faults.push(`the log has ${heads[0].events} events, but its newest id is ${heads[0].newest}`);
    return { rows, faults, skipped, details };
  },
};

function rowsOf(inFlight, batchSize, results) {
  const perSecond = (name) => results[name]?.map((result) => result.perSecond);
  const what = `writes/s, ${inFlight} in flight`;
  return ['pgbench', 'pgbench, 2 clients']
    .filter((name) => name in results)
    .map((name) => ({
      what,
      ours: perSecond('lane'),
      other: `${name}, batches of ${batchSize}`,
      theirs: perSecond(name),
      better: 'more',
      targetRatio: 0.5,
    }));
}
