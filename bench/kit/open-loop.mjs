/**
 * Requests at a fixed rate that is kept to whether or not answers come (open loop), so waiting is counted and not left out. Connections are
 * kept, as many as are needed.
 */
import { Agent, request } from 'node:http';
import { setTimeout as delay, setImmediate as nextTurn } from 'node:timers/promises';
import { percentile } from './statistics.mjs';

/** With more than this unanswered the server does not keep up, and what is left would take for ever. */
const mostUnanswered = 500;
const graceMs = 20_000;

const nowMicroseconds = () => Number(process.hrtime.bigint() / 1000n);

/**
 * @param {{ url: string, headers: Record<string, string>, perSecond: number, bodyOf: (number: number, due: number) => string, firstNumber: number }} options
 *   `due` in microseconds of the monotonic clock
 */
export function startOpenLoop({ url, headers, perSecond, bodyOf, firstNumber }) {
  const agent = new Agent({ keepAlive: true, maxSockets: 512 });
  const pending = new Set();
  /** @type {{ due: number, milliseconds: number }[]} */
  const answered = [];
  let failure = null;
  let isEnding = false;
  let number = firstNumber - 1;

  async function run() {
    const began = nowMicroseconds() + 50_000;
    for (let index = 0; !isEnding && failure === null; index += 1) {
      const due = began + (index * 1_000_000) / perSecond;
      const waitMs = (due - nowMicroseconds()) / 1000;
      // Also when it is late: else no answer would be read.
      await (waitMs > 0 ? delay(waitMs) : nextTurn());
      if (isEnding) break;
      if (pending.size >= mostUnanswered)
        failure = new Error(`it does not keep up with ${perSecond} messages a second`);
      number += 1;
      const one = post({ agent, url, headers, body: bodyOf(number, due) }).then(
        () => answered.push({ due, milliseconds: (nowMicroseconds() - due) / 1000 }),
        (error) => {
          failure ??= error;
        },
      );
      pending.add(one);
      void one.then(() => pending.delete(one));
    }
    const late = new AbortController();
    const tooLate = delay(graceMs, undefined, { signal: late.signal }).then(
      () => {
        failure ??= new Error(`after ${graceMs / 1000} s ${pending.size} messages were not answered`);
      },
      () => undefined,
    );
    await Promise.race([failure === null ? Promise.all(pending) : null, tooLate]);
    late.abort();
    agent.destroy();
    if (failure !== null) throw failure;
  }
  const running = run();
  running.catch(() => undefined);

  return {
    get number() {
      return number;
    },
    /**
     * What the work gives; rejects as soon as the server does not keep up or refuses, instead of waiting for what will not come.
     * @template T
     * @param {Promise<T>} work
     * @returns {Promise<T>}
     */
    whileItKeepsUp(work) {
      return Promise.race([work, running.then(() => work)]);
    },
    /** Ends it; gives the last number when all are answered. Rejects when one was refused. */
    async stop() {
      isEnding = true;
      await running;
      return number;
    },
    /** Latencies of the answers to what was due between two times (microseconds). */
    between(from, to) {
      const sorted = answered
        .filter(({ due }) => due >= from && due < to)
        .map(({ milliseconds }) => milliseconds)
        .sort((a, b) => a - b);
      return {
        count: sorted.length,
        p50Ms: percentile(sorted, 50),
        p99Ms: percentile(sorted, 99),
        maxMs: sorted.at(-1) ?? Number.NaN,
      };
    },
    now: nowMicroseconds,
  };
}

function post({ agent, url, headers, body }) {
  return new Promise((resolve, reject) => {
    const length = String(Buffer.byteLength(body));
    const sent = request(
      url,
      { method: 'POST', agent, headers: { ...headers, 'Content-Length': length } },
      (response) => {
        response.resume();
        response.on('error', reject);
        response.on('end', () => {
          const { statusCode = 0 } = response;
          if (statusCode >= 200 && statusCode < 300) resolve(undefined);
          else reject(new Error(`${url} answered ${statusCode}`));
        });
      },
    );
    sent.on('error', reject);
    sent.end(body);
  });
}
