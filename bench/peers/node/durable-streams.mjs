/**
 * Durable Streams' server for Node with its files in the folder that is its argument, and one stream of JSON at /bench. It writes its port on its first line.
 */
import { DurableStreamTestServer } from '@durable-streams/server';

// It speaks on the standard output, where the port is to stand first.
console.info = console.log = console.error;
const dataDir = JSON.parse(process.argv[2]);
const server = new DurableStreamTestServer({ port: 0, host: '127.0.0.1', dataDir, compression: false });
const url = await server.start();
const created = await fetch(`${url}/bench`, { method: 'PUT', headers: { 'Content-Type': 'application/json' } });
if (!created.ok) throw new Error(`PUT /bench answered ${created.status}`);
process.stdout.write(`${new URL(url).port}\n`);
process.on('SIGTERM', async () => {
  await server.stop();
  process.exit(0);
});
