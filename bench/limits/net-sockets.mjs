/**
 * The limit of Node for a message at a time: POST /realtime frames the body once and writes the one Buffer to every socket that has asked
 * with GET /realtime. On `node:net`, with no more of HTTP than the benchmark's own clients need: no keys, no log, no cursors, no heartbeats, no
 * care for slow readers. Requests that came in one read are sent on in one write. It writes its port on its first line.
 */
import { createServer } from 'node:net';

/** @type {Set<import('node:net').Socket>} */
const streams = new Set();
const streamHead = Buffer.from(
  'HTTP/1.1 200 OK\r\nContent-Type: text/event-stream; charset=utf-8\r\nCache-Control: no-cache, no-transform\r\nTransfer-Encoding: chunked\r\n\r\n',
);
const answer = 'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 16\r\n\r\n{"message":"OK"}';
let lastId = 0;

function subscribe(socket) {
  streams.add(socket);
  socket.on('close', () => streams.delete(socket));
  socket.write(streamHead);
}

/** Takes the whole requests off the text: gives what is left, and the bodies. */
function takeBodies(text) {
  const bodies = [];
  for (;;) {
    const end = text.indexOf('\r\n\r\n');
    const length = Number(/content-length: *(\d+)/i.exec(text.slice(0, end))?.[1]);
    if (end < 0 || text.length < end + 4 + length) return { rest: text, bodies };
    bodies.push(text.slice(end + 4, end + 4 + length));
    text = text.slice(end + 4 + length);
  }
}

function publish(bodies) {
  const blocks = bodies.map((body) => {
    lastId += 1;
    return `id: ${lastId}\nevent: publish\ndata: ${body}\n\n`;
  });
  const text = blocks.join('');
  const frame = Buffer.from(`${text.length.toString(16)}\r\n${text}\r\n`, 'latin1');
  for (const socket of streams) socket.write(frame);
}

const server = createServer({ noDelay: true }, (socket) => {
  let text = '';
  socket.on('error', () => undefined);
  socket.on('data', (bytes) => {
    text += bytes.latin1Slice();
    if (text.startsWith('GET ') && text.endsWith('\r\n\r\n')) {
      text = '';
      subscribe(socket);
      return;
    }
    const { rest, bodies } = takeBodies(text);
    text = rest;
    if (bodies.length === 0) return;
    publish(bodies);
    socket.write(answer.repeat(bodies.length));
  });
});
server.listen({ port: 0, host: '127.0.0.1', backlog: 4096 }, () => process.stdout.write(`${server.address().port}\n`));
process.on('SIGTERM', () => process.exit(0));
