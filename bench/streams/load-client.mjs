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

/**
 * @typedef {{ subscriber: StreamSubscriber, socket: import('node:net').Socket, localAddress: string, isApart: boolean }} Stream
 * @type {Stream[]}
 */
const streams = [];
/** @type {ReferenceStream} */
let reference;
/** @type {LatencyRecord | null} */
let latencies = null;
/** @type {{ port: number, head: string, openAtOnce: number }} */
let server;
let lastReadAt = 0;

const nowMs = () => Number(process.hrtime.bigint()) / 1e6;

/** Resolves when the stream is open. @param {Stream} stream */
function connectStream(stream, head) {
  const { subscriber, localAddress } = stream;
  const { greeting } = reference.dialect;
  return new Promise((resolve, reject) => {
    let isGreeted = greeting === null;
    const fail = (why) => {
      if (stream.socket !== socket) return;
      subscriber.fault ||= why;
      reject(new Error(subscriber.fault));
    };
    const socket = connect({
      host: '127.0.0.1',
      port: server.port,
      localAddress,
      onread: {
        buffer: readBuffer,
        callback(length) {
          subscriber.feed(readBuffer, length);
          lastReadAt = nowMs();
          if (!isGreeted && subscriber.hasHead) {
            isGreeted = true;
            socket.write(greeting);
          }
          if (subscriber.fault !== '') reject(new Error(subscriber.fault));
          else if (subscriber.isOpen) resolve(undefined);
          return true;
        },
      },
    });
    stream.socket = socket;
    socket.setNoDelay(true);
    socket.on('error', (error) => fail(`the connection broke: ${error.message}`));
    socket.on('close', () => fail('the connection was closed'));
    socket.write(head);
  });
}

/** Runs `work` for each, a number of them at a time. */
async function each(list, atOnce, work) {
  let next = 0;
  const worker = async () => {
    while (next < list.length) {
      next += 1;
      await work(list[next - 1]);
    }
  };
  await Promise.all(Array.from({ length: Math.min(atOnce, list.length) }, worker));
}

const withCursor = (head, id) => (id ? head.replace(/\r\n\r\n$/, `\r\nLast-Event-ID: ${id}\r\n\r\n`) : head);

const commands = {
  /** `joinsLate`: the streams begin where they can; the first event must have come to one that does not. */
  async open({ dialect, port, head, count, localAddresses, measureLatency, openAtOnce, joinsLate = false }) {
    reference ??= new ReferenceStream(dialects[dialect]);
    latencies ??= measureLatency ? new LatencyRecord() : null;
    server = { port, head, openAtOnce };
    const began = nowMs();
    const opened = Array.from({ length: count }, (_, index) => ({
      subscriber: new StreamSubscriber(reference, latencies, { joinsLate }),
      socket: /** @type {any} */ (null),
      localAddress: localAddresses[index % localAddresses.length],
      isApart: false,
    }));
    streams.push(...opened);
    await each(opened, openAtOnce, (stream) => connectStream(stream, head));
    return { began, ended: nowMs() };
  },

  /** Breaks all connections but the first `kept` and opens them again: with the cursors, or where the server happens to be. */
  async reconnect({ kept, hasCursors, openAtOnce }) {
    const broken = streams.slice(kept);
    for (const stream of broken) {
      const { socket } = stream;
      stream.socket = /** @type {any} */ (null);
      socket.destroy();
    }
    const began = nowMs();
    await each(broken, openAtOnce, (stream) => {
      const id = stream.subscriber.reconnect({ joinsLate: !hasCursors });
      return connectStream(stream, hasCursors ? withCursor(server.head, id) : server.head);
    });
    return { began, ended: nowMs() };
  },

  /** The last `count` streams read nothing any more. Their latencies are not counted from here on. */
  async pause({ count }) {
    for (const stream of streams.slice(streams.length - count)) {
      stream.isApart = true;
      stream.subscriber.forgetLatencies();
      stream.socket.pause();
    }
  },

  /** They read again. */
  async resume() {
    for (const { socket, isApart } of streams) if (isApart) socket.resume();
  },

  /** Waits until the event with that number is here and every subscriber has all; resolves in any case after the timeout. */
  async reach({ number, timeoutMs }) {
    const until = nowMs() + timeoutMs;
    const isThere = () =>
      reference.hasNumber(number) && streams.every(({ subscriber }) => subscriber.isAtEnd || subscriber.fault !== '');
    while (!isThere() && nowMs() < until) await new Promise((resolve) => setTimeout(resolve, 5));
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
    bodyBytes: streams.reduce((sum, { subscriber }) => sum + subscriber.bodyBytes, 0),
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
