/**
 * A process full of subscribers, on raw sockets. It is told what to do by its parent (`fleet.mjs`) and answers each command once.
 * All sockets read into one buffer: Node hands it over before it reads again.
 */
import { connect } from 'node:net';
import { dialects } from './dialects.mjs';
import { LatencyRecord } from './latency-record.mjs';
import { ReferenceStream } from './reference-stream.mjs';
import { StreamSubscriber } from './subscriber.mjs';

const readBuffer = Buffer.alloc(256 * 1024);
/** Connections that are opened at a time. */
const openAtOnce = 64;

/** @type {{ subscriber: StreamSubscriber, socket: import('node:net').Socket }[]} */
const streams = [];
/** @type {ReferenceStream} */
let reference;
/** @type {LatencyRecord | null} */
let latencies = null;
let lastReadAt = 0;

const nowMs = () => Number(process.hrtime.bigint()) / 1e6;

function openOne({ port, head, localAddress }) {
  return new Promise((resolve, reject) => {
    const subscriber = new StreamSubscriber(reference, latencies);
    const stream = { subscriber, socket: /** @type {any} */ (null) };
    const fail = (why) => {
      subscriber.fault ||= why;
      reject(new Error(subscriber.fault));
    };
    stream.socket = connect({
      host: '127.0.0.1',
      port,
      localAddress,
      onread: {
        buffer: readBuffer,
        callback(length) {
          subscriber.feed(readBuffer, length);
          lastReadAt = nowMs();
          if (subscriber.isOpen) resolve(undefined);
          return true;
        },
      },
    });
    stream.socket.setNoDelay(true);
    stream.socket.on('error', (error) => fail(`the connection broke: ${error.message}`));
    stream.socket.on('close', () => fail('the connection was closed'));
    stream.socket.write(head);
    streams.push(stream);
  });
}

const commands = {
  async open({ dialect, port, head, count, localAddresses, measureLatency }) {
    reference = new ReferenceStream(dialects[dialect]);
    latencies = measureLatency ? new LatencyRecord() : null;
    let next = 0;
    const opener = async () => {
      while (next < count) {
        const localAddress = localAddresses[next % localAddresses.length];
        next += 1;
        await openOne({ port, head, localAddress });
      }
    };
    await Promise.all(Array.from({ length: Math.min(openAtOnce, count) }, opener));
  },

  /** Waits until the event with that number is here and every subscriber has all; resolves in any case after the timeout. */
  async reach({ number, timeoutMs }) {
    const until = nowMs() + timeoutMs;
    const isThere = () =>
      reference.hasNumber(number) && streams.every(({ subscriber }) => subscriber.isAtEnd || subscriber.fault !== '');
    while (!isThere() && nowMs() < until) await new Promise((resolve) => setTimeout(resolve, 10));
    return report(isThere());
  },

  latencies: async () => latencies?.take() ?? [],
};

function report(isComplete) {
  const faulty = streams.filter(({ subscriber }) => subscriber.fault !== '');
  const behind = streams.filter(({ subscriber }) => subscriber.fault === '' && !subscriber.isAtEnd);
  const faults = [...reference.faults, ...new Set(faulty.map(({ subscriber }) => subscriber.fault))].slice(0, 10);
  if (behind.length > 0) faults.push(`${behind.length} of ${streams.length} subscribers did not get everything`);
  if (!isComplete && faults.length === 0) faults.push('the last event did not come');
  return {
    subscribers: streams.length,
    events: reference.ids.length,
    firstId: reference.ids[0],
    lastId: reference.ids.at(-1),
    digest: reference.digest(),
    lastReadAt,
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
