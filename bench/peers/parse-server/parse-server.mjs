/**
 * Parse Server with LiveQuery of the class Bench, on a PostgreSQL of the same kind and settings as Tidewire's. Argument: the folder for its data. It writes
 * its port on its first line.
 */
import { createServer } from 'node:http';
import { connect, createServer as createNetServer } from 'node:net';
import { join } from 'node:path';
import { startEmbeddedPostgres } from '@tidewire/db/embedded-postgres/embedded-postgres';
import { ParseServer } from 'parse-server';

const log = { info: () => undefined, warn: () => undefined };
// It speaks on the standard output, where the port is to stand first.
const write = process.stdout.write.bind(process.stdout);
process.stdout.write = () => true;

const dataDir = JSON.parse(process.argv[2]);
const postgres = await startEmbeddedPostgres({ dataDir, log });
const { host, port, user, password, database } = postgres.address;
// It takes a URL with a port, and Tidewire's PostgreSQL listens on a socket in its folder.
const door = createNetServer((socket) => {
  const inner = connect(join(host, `.s.PGSQL.${port}`));
  socket.pipe(inner).pipe(socket);
  for (const one of [socket, inner]) one.setNoDelay(true).on('error', () => undefined);
});
await new Promise((resolve) => door.listen(0, '127.0.0.1', resolve));
const databaseURI = `postgres://${user}:${encodeURIComponent(password)}@127.0.0.1:${door.address().port}/${database}`;

const parse = new ParseServer({
  ...{ databaseURI, appId: 'bench', masterKey: 'bench', restAPIKey: 'bench', serverURL: 'http://127.0.0.1:1/parse' },
  ...{ liveQuery: { classNames: ['Bench'] }, allowClientClassCreation: true, silent: true, logsFolder: null },
});
await parse.start();
const { default: express } = await import('express');
const app = express();
app.use('/parse', parse.app);
const server = createServer(app);
await new Promise((resolve) => server.listen({ port: 0, host: '127.0.0.1', backlog: 4096 }, () => resolve(undefined)));
await ParseServer.createLiveQueryServer(server, { appId: 'bench' });
write(`${server.address().port}\n`);
process.on('SIGTERM', async () => {
  await postgres.stop();
  process.exit(0);
});
