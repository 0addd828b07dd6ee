/** The whole server, as `tidewire start` puts it together, in this process, for tests. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { PostgresAddress } from '@tidewire/db/sql-pool';
import { createLifecycle } from '@tidewire/server-kit/lifecycle';
import type { Logger } from '@tidewire/server-kit/logger';
import { composeServices } from './compose.js';
import { type Core, openCore } from './open-core.js';

export type Served = {
  /** Without a slash at the end. */
  url: string;
  port: number;
  core: Core;
  /** The text of the token that makes the first admin. */
  setupToken: string;
  close(): Promise<void>;
};

/** Listens on a free port of 127.0.0.1. */
export async function serve(address: PostgresAddress, logger: Logger): Promise<Served> {
  const lifecycle = createLifecycle(logger);
  const core = openCore(address, logger);
  const services = composeServices({
    core,
    logger,
    lifecycle,
    serverSecret: 'a secret for tests only, of some length',
    role: 'all',
    trustProxy: 0,
    durabilityRisks: [],
  });
  // Longer than any pause in a test: a connection that the server ends just as a client uses it again looks like a broken answer.
  const server = createServer({ keepAliveTimeout: 60_000 }, services.app).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    port,
    core,
    setupToken: services.setupToken.text,
    async close() {
      await services.endStreams(0);
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      await lifecycle.stop('the test is over');
      await core.close();
    },
  };
}
