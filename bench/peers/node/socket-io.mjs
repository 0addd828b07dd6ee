/** Socket.IO over WebSocket: `io.emit` to all. Nothing is stored. It writes its port on its first line. */
import { createServer } from 'node:http';
import { Server } from 'socket.io';
import { listen, readBody } from './http.mjs';

let lastId = 0;
const server = createServer(async (request, response) => {
  const { data } = JSON.parse(await readBody(request));
  lastId += 1;
  io.emit('publish', { id: lastId, data });
  response.writeHead(200, { 'Content-Type': 'application/json' }).end('{"message":"OK"}');
});
// The benchmark's clients answer no pings.
const io = new Server(server, { transports: ['websocket'], pingInterval: 3_600_000, serveClient: false });
listen(server);
