/** better-sse: a channel that broadcasts to its sessions, behind node:http. Nothing is stored. It writes its port on its first line. */
import { createServer } from 'node:http';
import { createChannel, createSession } from 'better-sse';
import { listen, readBody } from './http.mjs';

const channel = createChannel();
let lastId = 0;

const server = createServer(async (request, response) => {
  if (request.method === 'GET') {
    channel.register(await createSession(request, response));
    return;
  }
  const { data } = JSON.parse(await readBody(request));
  lastId += 1;
  channel.broadcast(data, 'publish', { eventId: String(lastId) });
  response.writeHead(200, { 'Content-Type': 'application/json' }).end('{"message":"OK"}');
});
listen(server);
