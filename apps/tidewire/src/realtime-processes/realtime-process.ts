/** What runs in a realtime process: the server's own routes, on connections that the server gives away. */
import { createServer, type RequestListener } from 'node:http';
import { Socket } from 'node:net';
import { createIpcChangeBus } from '@tidewire/change-log/ipc-change-bus';
import { createLifecycle } from '@tidewire/server-kit/lifecycle';
import { createLogger } from '@tidewire/server-kit/logger';
import { composeServices } from '../compose.js';
import { openCore } from '../open-core.js';
import { type Begin, hintChannel, isHint, type ToServer, toChildSchema } from './messages.js';

/** Of Postgres: replays and tickets need a few connections at a time, and writes do not come here. */
const poolSize = 4;

/** Serves until the server says that it is to end, or is gone. `host` is `process`. */
export function runRealtimeProcess(host: NodeJS.Process): void {
  const say = (message: ToServer) => void (host.connected && host.send?.(message));
  // Nobody is left to give streams, and to start this process again.
  host.on('disconnect', () => host.exit(0));
  // A terminal sends these to every process of the server; it is the server that ends us.
  for (const signal of ['SIGINT', 'SIGHUP'] as const) host.on(signal, () => undefined);
  let serve: RequestListener | undefined;
  let drain = async (_withinMs: number): Promise<void> => host.exit(0);
  host.on('SIGTERM', () => void drain(1_000));

  const server = createServer({ requestTimeout: 0 }, (request, response) => {
    // Only a stream's request is given away. Where it is refused, what follows on the connection is the server's again.
    response.shouldKeepAlive = false;
    serve?.(request, response);
  });

  host.on('message', (message: unknown, handle: unknown) => {
    if (isHint(message)) return;
    const data = toChildSchema.parse(message);
    if (data.kind === 'begin') ({ serve, drain } = begin(host, data, say));
    if (data.kind === 'drain') void drain(data.withinMs);
    if (data.kind === 'stream' && handle instanceof Socket) {
      handle.unshift(Buffer.from(data.head, 'latin1'));
      server.emit('connection', handle);
    }
  });
}

function begin(host: NodeJS.Process, options: Begin, say: (message: ToServer) => void) {
  const { address, serverSecret, role, trustProxy, trustedIssuerHosts, logLevel, streamLimits, requestBounds } =
    options;
  const logger = createLogger({
    level: logLevel,
    write: (line) => say({ kind: 'log', line }),
    forPeople: false,
    colours: false,
  });
  const bus = createIpcChangeBus({
    channel: hintChannel(host),
    onError: (error) => logger.warn({ err: error }, 'A hint of the server could not be used.'),
  });
  const core = openCore(address, logger, { bus, poolSize });
  const lifecycle = createLifecycle(logger);
  lifecycle.defer('connections', () => core.close());
  const services = composeServices({
    core,
    logger,
    lifecycle,
    serverSecret,
    role,
    trustProxy,
    trustedIssuerHosts,
    durabilityRisks: [],
    streamLimits,
    requestBounds,
    keepsHouse: false,
  });
  const report = setInterval(() => say({ kind: 'streams', streams: services.streams() }), 1_000);
  say({ kind: 'ready' });
  let isDraining = false;
  return {
    serve: services.app,
    async drain(withinMs: number) {
      if (isDraining) return;
      isDraining = true;
      clearInterval(report);
      await services.endStreams(withinMs);
      await lifecycle.stop('the server stops');
      host.exit(0);
    },
  };
}
