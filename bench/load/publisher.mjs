/** Publishes events at a fixed rate, whatever the answers take (open loop), with the time and a running number in each. */
import { Agent, request } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';

const nowMicroseconds = () => Math.round(Number(process.hrtime.bigint()) / 1000);

/**
 * @param {{ port: number, key: string, rate: number, bytes: number }} options `bytes`: of the data of each event
 */
export function startPublisher({ port, key, rate, bytes }) {
  const agent = new Agent({ keepAlive: true, maxSockets: 32 });
  const headers = { 'content-type': 'application/json', 'x-apikey': key };
  /** @type {Set<Promise<void>>} */
  const pending = new Set();
  const state = { sent: 0, newestId: 0, faults: /** @type {string[]} */ ([]) };
  let isStopped = false;

  function bodyOf(number) {
    const data = `{"n":"${String(number).padStart(9, '0')}","t":${nowMicroseconds()},"text":"`;
    return `{"event":"load","data":${data}${'x'.repeat(Math.max(0, bytes - data.length - 2))}"}}`;
  }

  function publish() {
    state.sent += 1;
    const body = bodyOf(state.sent);
    return new Promise((resolve) => {
      const fail = (why) => {
        if (state.faults.length < 10) state.faults.push(`publishing: ${why}`);
        resolve(undefined);
      };
      const sent = request(
        { host: '127.0.0.1', port, path: '/realtime', method: 'POST', headers, agent },
        (response) => {
          if (response.statusCode !== 200) fail(`the server answered ${response.statusCode}`);
          state.newestId = Math.max(state.newestId, Number(response.headers['x-event-id'] ?? 0));
          response.resume().on('end', resolve).on('error', fail);
        },
      );
      sent.on('error', (error) => fail(error.message));
      sent.end(body);
    });
  }

  async function run() {
    const began = performance.now();
    for (let index = 0; !isStopped; index += 1) {
      const wait = began + (index * 1000) / rate - performance.now();
      if (wait > 0) await delay(wait);
      const one = publish().then(() => void pending.delete(one));
      pending.add(one);
    }
    await Promise.all(pending);
  }

  const running = run();
  return {
    state,
    /** Resolves when the last one was answered. */
    async stop() {
      isStopped = true;
      await running;
      agent.destroy();
    },
  };
}
