/** A process full of streams that come back by themselves. It is told what to do by its parent (`returning-fleet.mjs`) and answers each command once. */
import { createRandom } from '../chaos/random.mjs';
import { ReturningStream, SharedEvents } from './returning-stream.mjs';

/** Streams that are opened at a time. */
const openAtOnce = 64;

const shared = new SharedEvents();
/** @type {ReturningStream[]} */
const streams = [];
/** @type {NodeJS.Timeout[]} */
let stallTimers = [];

const commands = {
  async open({ ports, path, headers, count, localAddresses }) {
    let next = 0;
    const opener = async () => {
      while (next < count) {
        const localAddress = localAddresses[next % localAddresses.length];
        next += 1;
        await new Promise((resolve, reject) => {
          const stream = new ReturningStream({
            ports,
            path,
            headers,
            localAddress,
            shared,
            onOpen: () => resolve(undefined),
          });
          streams.push(stream);
          stream.open();
          setTimeout(() => reject(new Error(`a stream did not open: ${stream.fault || 'no answer'}`)), 60_000).unref();
        });
      }
    };
    await Promise.all(Array.from({ length: Math.min(openAtOnce, count) }, opener));
  },

  /** Each stream stops reading for a random time, reads a little, stops again, until `readOn`. */
  async stall({ seed, stallMs, readMs }) {
    for (const [index, stream] of streams.entries()) {
      const random = createRandom(seed, `stream ${index}`);
      const stop = () => {
        stream.pause();
        stallTimers[index] = setTimeout(go, random.integer(stallMs[0], stallMs[1]));
      };
      const go = () => {
        stream.resume();
        stallTimers[index] = setTimeout(stop, random.integer(readMs[0], readMs[1]));
      };
      stop();
    }
  },

  async readOn() {
    for (const timer of stallTimers) clearTimeout(timer);
    stallTimers = [];
    for (const stream of streams) stream.resume();
  },

  /** Waits until every stream is open and has the event of that id; resolves in any case after the timeout. */
  async reach({ id, timeoutMs }) {
    const until = Date.now() + timeoutMs;
    const isThere = ({ isOpen, last, fault }) => fault !== '' || (isOpen && last >= id);
    while (!streams.every(isThere) && Date.now() < until) await new Promise((resolve) => setTimeout(resolve, 20));
    return report(id);
  },

  /** How many are open just now. */
  countOpen: async () => streams.filter(({ isOpen }) => isOpen).length,

  async stop() {
    for (const stream of streams) stream.stop();
  },
};

function report(id) {
  const faults = [...new Set(streams.map(({ fault }) => fault).filter((fault) => fault !== ''))].slice(0, 10);
  const behind = streams.filter(({ fault, last }) => fault === '' && last < id);
  const closed = streams.filter(({ fault, isOpen }) => fault === '' && !isOpen);
  if (behind.length > 0) faults.push(`${behind.length} of ${streams.length} streams did not get event ${id}`);
  if (closed.length > 0) faults.push(`${closed.length} of ${streams.length} streams are not open`);
  return {
    streams: streams.length,
    events: streams.reduce((total, { first, last }) => total + (first === 0 ? 0 : last - first + 1), 0),
    returns: streams.flatMap(({ returns }) => returns),
    faults,
  };
}

process.on('message', async (/** @type {{ command: keyof typeof commands, options: any }} */ { command, options }) => {
  try {
    process.send?.({ value: await commands[command](options) });
  } catch (error) {
    process.send?.({ error: error.message });
  }
});
process.on('disconnect', () => process.exit(0));
