/** Bun's own WebSockets (uWebSockets, in C++): `server.publish` to a topic. Run by Bun. Nothing is stored. It writes its port on its first line. */
let lastId = 0;
const server = Bun.serve({
  port: 0,
  hostname: '127.0.0.1',
  async fetch(request, self) {
    if (request.method === 'GET') return self.upgrade(request) ? undefined : new Response('', { status: 400 });
    const { data } = await request.json();
    lastId += 1;
    self.publish('bench', JSON.stringify({ id: lastId, data }));
    return new Response('{"message":"OK"}', { headers: { 'Content-Type': 'application/json' } });
  },
  websocket: {
    open: (socket) => socket.subscribe('bench'),
    message: () => undefined,
    idleTimeout: 960,
    sendPings: false,
    backpressureLimit: 1024 * 1024 * 1024,
  },
});
process.stdout.write(`${server.port}\n`);
process.on('SIGTERM', () => process.exit(0));
