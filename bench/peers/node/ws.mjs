/** ws: `send` to each client, behind node:http. Nothing is stored. It writes its port on its first line. */
import { createServer } from 'node:http';
import { WebSocketServer } from 'ws';
import { listen, readBody } from './http.mjs';

let lastId = 0;
const server = createServer(async (request, response) => {
  const { data } = JSON.parse(await readBody(request));
  lastId += 1;
  const text = JSON.stringify({ id: lastId, data });
  for (const client of sockets.clients) client.send(text);
  response.writeHead(200, { 'Content-Type': 'application/json' }).end('{"message":"OK"}');
});
const sockets = new WebSocketServer({ server, perMessageDeflate: false });
listen(server);
