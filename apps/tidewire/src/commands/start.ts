/** `tidewire start`: everything in one process, or with the streams in children of it. */
import type { ChildProcess } from 'node:child_process';
import { createServer, type RequestListener } from 'node:http';
import { resolve } from 'node:path';
import { checkDurability } from '@tidewire/db/durability';
import { migrate } from '@tidewire/db/migrate';
import type { PostgresAddress } from '@tidewire/db/sql-pool';
import { allowReadingRetry } from '@tidewire/server-kit/cors';
import type { Lifecycle } from '@tidewire/server-kit/lifecycle';
import { drainServer, listen } from '@tidewire/server-kit/lifecycle-server';
import type { Logger } from '@tidewire/server-kit/logger';
import { composeServices, type Services } from '../compose.js';
import { type Config, requestBoundsOf, streamLimitsOf } from '../config.js';
import { ensureDemoKey } from '../demo-key.js';
import { type Core, openCore } from '../open-core.js';
import { openPostgresForServer } from '../open-postgres.js';
import { createRealtimeProcesses, type RealtimeProcesses } from '../realtime-processes/realtime-processes.js';
import { defaultDatabase } from '../run-command.js';
import { readServerSecret } from '../server-secret.js';
import { throughOutages } from '../through-outages.js';
import { renderWelcome, type Welcome } from '../welcome.js';

export type StartContext = {
  config: Config;
  logger: Logger;
  lifecycle: Lifecycle;
  print: (text: string) => void;
  colours: boolean;
  /** Starts the program `realtime-main.ts` with a channel; asked for only with REALTIME_PROCESSES. */
  forkRealtime: () => ChildProcess;
};

/** How long running requests may take at a stop, after the streams have ended. */
const requestsMs = 10_000;
/** Idle connections are kept longer than load balancers do (60 s), so that it is never us who closes one that is about to be used. */
const keepAliveMs = 65_000;

/** Resolves when the server is ready; it then runs until the lifecycle is stopped. Rejects when it cannot start; the lifecycle is to be stopped then, too. */
export async function start(context: StartContext): Promise<void> {
  const { config, logger, lifecycle, print, colours } = context;
  // The port comes first: when it is taken, nothing else was touched.
  let handler: RequestListener = answerStarting;
  // Whoever reads a body limits its time (body-time.ts); Node's limit would end a long import.
  const server = createServer({ keepAliveTimeout: keepAliveMs, requestTimeout: 0 }, (request, response) =>
    handler(request, response),
  );
  const port = await listen(server, config);
  lifecycle.defer('port', () => server.close());

  const postgres = await openPostgresForServer(config, logger);
  lifecycle.defer('postgres', () => postgres.close(), { limitMs: 60_000 });
  const steadily = <T>(step: () => Promise<T>) => throughOutages(step, { log: logger });
  const { applied } = await steadily(() => migrate(postgres.address));
  if (applied.length > 0) logger.info({ applied }, 'The schema was brought up to date.');
  const core = openCore(postgres.address, logger, config);
  lifecycle.defer('connections', () => core.close(), { limitMs: 20_000 });
  const durabilityRisks = await steadily(() => checkDurability(core.pool));
  for (const { setting, value, risk } of durabilityRisks) logger.warn({ setting, value }, risk);

  const serverSecret = config.secretKey ?? readServerSecret(config.dataDir);
  const processes = startRealtimeProcesses(context, core, postgres.address, serverSecret);
  const services = composeServices({
    core,
    logger,
    lifecycle,
    serverSecret,
    role: config.role,
    trustProxy: config.trustProxy,
    trustedIssuerHosts: config.trustedIssuerHosts,
    durabilityRisks,
    streamLimits: streamLimitsOf(config),
    requestBounds: requestBoundsOf(config),
    ...(processes === null ? {} : { realtimeProcesses: processes.status }),
  });
  const drainMs = config.drainSeconds * 1000;
  const endStreams = () => Promise.all([services.endStreams(drainMs), processes?.drain(drainMs)]);
  lifecycle.defer('requests', () => drainServer(server, { endStreams, limitMs: requestsMs }), {
    limitMs: drainMs + 2 * requestsMs + 5_000,
  });
  const welcome = await steadily(() => prepareFirstUse(config, core, services, port));
  await processes?.started();
  handler =
    processes === null
      ? services.app
      : (request, response) => processes.take(request, response, () => services.app(request, response));
  if (!lifecycle.isStopping) print(renderWelcome(welcome, colours));
}

/** Null when this process is to carry its streams itself, or has none. */
function startRealtimeProcesses(
  { config, logger, forkRealtime }: StartContext,
  { bus }: Core,
  address: PostgresAddress,
  serverSecret: string,
): RealtimeProcesses | null {
  const { realtimeProcesses: count, role, trustProxy, trustedIssuerHosts, logLevel } = config;
  if (count === 0 || role === 'api' || role === 'worker') return null;
  const bounds = { streamLimits: streamLimitsOf(config), requestBounds: requestBoundsOf(config) };
  const begin = { address, serverSecret, role, trustProxy, trustedIssuerHosts, logLevel, ...bounds };
  return createRealtimeProcesses({ count, fork: forkRealtime, begin, bus, logger });
}

/** An `EventSource` gives up for good on any status but 200 (WHATWG HTML, section 9.2.3): streams are told to come back. */
export const answerStarting: RequestListener = (request, response) => {
  if (request.headers.accept?.includes('text/event-stream')) {
    allowReadingRetry(request, response);
    response.writeHead(200, { 'Content-Type': 'text/event-stream; charset=utf-8', 'Cache-Control': 'no-cache' });
    response.end('retry: 1000\n\n');
    return;
  }
  response.writeHead(503, { 'Content-Type': 'application/json', 'Retry-After': '1' });
  response.end('{"code":"unavailable","detail":"The server is starting."}');
};

async function prepareFirstUse(config: Config, core: Core, services: Services, port: number): Promise<Welcome> {
  const { id } = await core.databases.ensure(defaultDatabase);
  const { adminEmail, adminPassword } = config;
  const { admins, setupToken } = services;
  if (adminEmail !== undefined && adminPassword !== undefined)
    await admins.ensureFirst({ email: adminEmail.toLowerCase(), password: adminPassword });
  const isSetupNeeded = await admins.isSetupNeeded();
  const isDefaultFolder = config.dataDir === './data';
  return {
    url: `http://${shownHost(config.host)}:${port}`,
    storage: config.databaseUrl === undefined ? resolve(config.dataDir) : 'the PostgreSQL of DATABASE_URL',
    dashboard: isSetupNeeded ? { kind: 'setup', token: setupToken.text } : { kind: 'sign in' },
    demoKey: isAlone(config) && isLoopback(config.host) ? await ensureDemoKey(core, id, config.dataDir) : null,
    command: `npx tidewire${isDefaultFolder ? '' : ` --data-dir ${config.dataDir}`}`,
  };
}

/** One process for everything: of several, each would make a demo key of its own. */
function isAlone({ role, redisUrl }: Config): boolean {
  return role === 'all' && redisUrl === undefined;
}

/** Another process that started at the same time was first. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127(\.\d+){3}$/.test(host);
}

/** What to type into a browser on this machine. */
export function shownHost(host: string): string {
  if (isLoopback(host) || host === '0.0.0.0' || host === '::') return 'localhost';
  return host.includes(':') ? `[${host}]` : host;
}
