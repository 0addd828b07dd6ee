/**
 * A process full of streams of live queries, each of another value of `code`, in steps (`delta=true`). It is told what to do by its parent and answers each
 * command once. HTTP/1.0, so that the answers have no chunks.
 */
import { connect } from 'node:net';
import { EventStreamParser } from '../chaos/event-stream-parser.mjs';

const openAtOnce = 64;
/** What came, besides the states at the beginning. @type {{ code: string, event: string, number: number, milliseconds: number }[]} */
let received = [];
/** @type {string[]} */
const faults = [];

const nowMicroseconds = () => Number(process.hrtime.bigint() / 1000n);

function openOne({ port, headers, collection }, code) {
  const query = `q=${encodeURIComponent(JSON.stringify({ code }))}&delta=true`;
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  return new Promise((resolve, reject) => {
    let head = '';
    let isBody = false;
    const parser = new EventStreamParser(({ event, data }) => {
      if (event === 'snapshot') resolve(undefined);
      else if (event !== 'ping') take(code, event, data ?? '');
    });
    const socket = connect({ host: '127.0.0.1', port });
    socket.setNoDelay(true);
    socket.on('error', reject);
    socket.on('close', () => {
      faults.push(`the stream of ${code} was closed`);
      reject(new Error(`the stream of ${code} was closed`));
    });
    socket.on('data', (bytes) => {
      if (isBody) {
        parser.feed(bytes);
        return;
      }
      head += bytes.latin1Slice();
      const end = head.indexOf('\r\n\r\n');
      if (end < 0) return;
      if (!/^HTTP\/1\.[01] 200 /.test(head)) reject(new Error(`a live query was answered with ${head}`));
      isBody = true;
      parser.feed(Buffer.from(head.slice(end + 4), 'latin1'));
    });
    socket.write(`GET /rest/${collection}/stream?${query} HTTP/1.0\r\n${lines.join('')}\r\n`);
  });
}

/** Every step has the document that was written, with its number and the time at which it was due. */
function take(code, event, data) {
  const number = Number(/"n":"(\d{9})"/.exec(data)?.[1]);
  const due = Number(/"t":(\d+)/.exec(data)?.[1]);
  received.push({ code, event, number, milliseconds: (nowMicroseconds() - due) / 1000 });
}

const commands = {
  async open({ codes, ...server }) {
    const began = performance.now();
    const left = [...codes];
    const opener = async () => {
      for (let code = left.pop(); code !== undefined; code = left.pop()) await openOne(server, code);
    };
    await Promise.all(Array.from({ length: openAtOnce }, opener));
    return { milliseconds: performance.now() - began };
  },

  /** All that came since the last call. */
  async take() {
    const all = { received, faults };
    received = [];
    return all;
  },
};

process.on('message', async (/** @type {{ command: keyof typeof commands, options: any }} */ { command, options }) => {
  try {
    process.send?.({ value: await commands[command](options) });
  } catch (error) {
    process.send?.({ error: error.message });
  }
});
process.on('disconnect', () => process.exit(0));
