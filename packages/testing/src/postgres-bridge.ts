/** A way to Postgres that can be cut, for tests of what happens while it is away. */
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import type { PostgresAddress } from '@tidewire/db/sql-pool';

export type PostgresBridge = {
  /** Begins to take connections, on the same port each time; the address to connect to. */
  open(): Promise<PostgresAddress>;
  /** Connections end, and new ones are refused. */
  cut(): Promise<void>;
};

/** A way to the Postgres at this address. It is shut until it is opened. */
export function createPostgresBridge(address: PostgresAddress): PostgresBridge {
  const parts = 'connectionString' in address ? partsOf(address.connectionString) : address;
  const sockets = new Set<Socket>();
  const keep = (socket: Socket) => {
    sockets.add(socket.on('error', () => socket.destroy()).on('close', () => sockets.delete(socket)));
    return socket;
  };
  const server: Server = createServer((near) => {
    const { host, port } = parts;
    const far = keep(host.startsWith('/') ? connect(`${host}/.s.PGSQL.${port}`) : connect(port, host));
    keep(near).pipe(far).pipe(near);
    near.on('close', () => far.destroy());
    far.on('close', () => near.destroy());
  });
  let port = 0;
  return {
    async open() {
      await once(server.listen(port, '127.0.0.1'), 'listening');
      ({ port } = server.address() as AddressInfo);
      return { ...parts, host: '127.0.0.1', port };
    },
    async cut() {
      server.close();
      for (const socket of sockets) socket.destroy();
      await once(server, 'close');
    },
  };
}

function partsOf(connectionString: string) {
  const url = new URL(connectionString);
  const host = url.searchParams.get('host') ?? url.hostname;
  const decode = decodeURIComponent;
  return {
    host,
    port: Number(url.port || 5432),
    user: decode(url.username),
    password: decode(url.password),
    database: url.pathname.slice(1),
  };
}
