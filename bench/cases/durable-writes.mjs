/**
 * Durable writes over HTTP: POST /rest/company with a document of 256 bytes, next to a bare Express route that stores nothing (the
 * limit) and to one interactive Prisma transaction for each write (the peer). Load by the same program with the same bodies.
 *
 * After each run of Tidewire its log is read back through a stream: every event once and in order, no answered write missing.
 */
import { alternate } from '../kit/alternate.mjs';
import { bodyOf, runLoad } from '../kit/load.mjs';
import { startPeer } from '../kit/peers.mjs';
import { startFleet } from '../streams/fleet.mjs';

const documentBytes = 256;
const body = { before: '{"n":"', behind: `","name":"ACME","text":"${'x'.repeat(documentBytes - 40)}"}` };
const json = { 'Content-Type': 'application/json' };

export const durableWrites = {
  name: 'writes',
  title: 'Durable writes over HTTP, 256-byte documents',

  /** @param {import('../run.mjs').Context} context */
  async run({ runs, seconds, product, scratch, say }) {
    const tidewire = await product();
    const headers = { ...json, 'x-apikey': tidewire.key };
    const url = `${tidewire.url}/rest/company`;
    const sample = await captureAnswer(url, headers);
    const bare = await startPeer('bare-express', sample);
    const { address, databaseId, collectionId, pool } = await scratch();
    const prisma = await startPeer('prisma-transaction', { address, databaseId, collectionId });
    const log = await readBack(tidewire);
    /** Each document of the run has a number of its own: in the log every number is new. */
    let number = 1;
    const faults = [];

    const writeTo = (target) => (connections, length) => {
      number += 10_000_000;
      return runLoad({ url: target, headers, body, firstNumber: number, connections, seconds: length });
    };
    const contenders = {
      tidewire: writeTo(url),
      bare: writeTo(`http://127.0.0.1:${bare.port}/rest/company`),
      prisma: writeTo(`http://127.0.0.1:${prisma.port}/rest/company`),
    };
    const measure = (name, connections) => async () => {
      const result = await contenders[name](connections, seconds);
      if (name === 'tidewire') faults.push(...(await log.check(result.answered, connections)));
      return result;
    };
    const round = (connections) =>
      Object.fromEntries(Object.keys(contenders).map((name) => [name, measure(name, connections)]));

    for (const name of Object.keys(contenders)) {
      say(`warm-up: ${name}`);
      const { answered } = await contenders[name](64, Math.min(seconds, 10));
      if (name === 'tidewire') faults.push(...(await log.check(answered, 64)));
    }
    const at64 = await alternate(runs, round(64), (line) => say(`64 connections, ${line}`));
    const at1 = await alternate(runs, round(1), (line) => say(`1 connection, ${line}`));
    faults.push(...(await checkPeer(pool, databaseId)));

    await Promise.all([bare.stop(), prisma.stop()]);
    await tidewire.stop();
    return {
      rows: rowsOf(at64, at1),
      faults,
      details: { at64, at1, answerBytes: sample.body.length, answerHeaders: sample.headers },
    };
  },
};

function rowsOf(at64, at1) {
  const perSecond = (results) => results.map((result) => result.perSecond);
  const of = (results, field) => results.map((result) => result[field]);
  const [ours64, ours1] = [at64.tidewire, at1.tidewire];
  const rows = [
    {
      what: 'writes/s, 64 connections',
      ours: perSecond(ours64),
      other: 'bare Express 5 route',
      theirs: perSecond(at64.bare),
      better: 'more',
      targetRatio: 0.5,
    },
    {
      what: 'writes/s, 64 connections',
      ours: perSecond(ours64),
      other: 'Prisma transaction each',
      theirs: perSecond(at64.prisma),
      better: 'more',
    },
    {
      what: 'p99 ms, 64 connections',
      ours: of(ours64, 'p99Ms'),
      other: 'Prisma transaction each',
      theirs: of(at64.prisma, 'p99Ms'),
      better: 'less',
    },
  ];
  for (const field of ['p50Ms', 'p99Ms']) {
    const what = `${field.slice(0, 3)} ms, 1 connection`;
    rows.push({
      what,
      ours: of(ours1, field),
      other: 'bare Express 5 route',
      theirs: of(at1.bare, field),
      better: 'less',
    });
    rows.push({
      what,
      ours: of(ours1, field),
      other: 'Prisma transaction each',
      theirs: of(at1.prisma, field),
      better: 'less',
    });
  }
  return rows;
}

/** A real answer, so that the bare route sends the same lines and the same number of bytes. Node adds Date and Connection itself. */
async function captureAnswer(url, headers) {
  const response = await fetch(url, { method: 'POST', headers, body: bodyOf(body, 0) });
  if (response.status !== 201) throw new Error(`POST ${url} answered ${response.status}: ${await response.text()}`);
  const own = new Set(['date', 'connection', 'keep-alive']);
  return { headers: [...response.headers].filter(([name]) => !own.has(name)).flat(), body: await response.text() };
}

/** Reads the log after each run, when nothing is measured: from where it was read to before, up to a document that is written last. */
async function readBack(tidewire) {
  let head = await lastEvent(tidewire, 999_999_000);
  let last = 999_999_000;
  return {
    async check(answered, connections) {
      last += 1;
      const end = await lastEvent(tidewire, last);
      const path = `/realtime?lastEventId=${head}`;
      const fleet = await startFleet({
        dialect: 'tidewire',
        port: tidewire.port,
        path,
        headers: { 'x-apikey': tidewire.key },
        subscribers: 1,
        processes: 1,
      });
      const { events, faults } = await fleet.reach(last);
      await fleet.stop();
      const written = end - head - 1;
      // When the load ends, one request of each connection is on its way: it may have been stored, unanswered.
      if (written < answered || written > answered + connections)
        faults.push(`${answered} writes were answered, but the log has ${written}`);
      if (events !== written + 1) faults.push(`the log has ${written + 1} events, but the stream gave ${events}`);
      head = end;
      return faults;
    },
  };
}

/** Writes a document and returns the id of its event. */
async function lastEvent({ url, key }, number) {
  const response = await fetch(`${url}/rest/company`, {
    method: 'POST',
    headers: { ...json, 'x-apikey': key },
    body: bodyOf(body, number),
  });
  await response.text();
  return Number(response.headers.get('x-event-id'));
}

async function checkPeer(pool, databaseId) {
  const { rows } = await pool.query('SELECT count(*) AS events, max(id) AS newest FROM events WHERE database_id = $1', [
    databaseId,
  ]);
  const { events, newest } = rows[0];
  return events === newest ? [] : [`the Prisma peer has ${events} events, but the newest has the id ${newest}`];
}
