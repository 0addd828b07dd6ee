/**
 * The limit of Node for a message at a time: POST /realtime frames the body once and writes the one Buffer to every socket that has asked
 * with GET /realtime. No keys, no log, no cursors, no heartbeats, no care for slow readers. It writes its port on its first line.
 */
import { createServer } from 'node:http';

/** @type {Set<import('node:net').Socket>} */
const sockets = new Set();
let lastId = 0;

function subscribe(request, response) {
  const { socket } = request;
  response.writeHead(200, {
    'Content-Type': 'text/event-stream; charset=utf-8',
    'Cache-Control': 'no-cache, no-transform',
  });
  response.flushHeaders();
  socket.setNoDelay(true);
  sockets.add(socket);
  socket.on('close', () => sockets.delete(socket));
}

function publish(body) {
  lastId += 1;
  const block = `id: ${lastId}\nevent: publish\ndata: ${body}\n\n`;
  const frame = Buffer.from(`${Buffer.byteLength(block).toString(16)}\r\n${block}\r\n`);
  for (const socket of sockets) socket.write(frame);
}

const server = createServer((request, response) => {
  if (request.method === 'GET') return subscribe(request, response);
  const chunks = [];
  request.on('data', (chunk) => chunks.push(chunk));
  request.on('end', () => {
    publish(Buffer.concat(chunks).toString());
    response.writeHead(200, { 'Content-Type': 'application/json' }).end('{"message":"OK"}');
  });
});
server.listen(0, '127.0.0.1', () => process.stdout.write(`${server.address().port}\n`));
process.on('SIGTERM', () => process.exit(0));
