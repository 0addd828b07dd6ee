/** The configuration of the command: one table, from which the help and `.env.example` are written, too. */
import { logLevels } from '@tidewire/server-kit/logger';
import { type OptionTable, type OptionValues, parseOptions } from '@tidewire/server-kit/options';
import { z } from 'zod';

function wholeNumber(max: number) {
  return z
    .string()
    .regex(/^\d{1,9}$/)
    .transform(Number)
    .pipe(z.number().max(max));
}

/** What a process can serve. */
export const roles = ['all', 'api', 'realtime', 'worker'] as const;
export type Role = (typeof roles)[number];

const redisUrl = z
  .string()
  .refine((text) => text.split(',').every((part) => /^rediss?:\/\//.test(part) && URL.canParse(part)));
const postgresUrl = z
  .string()
  .regex(/^postgres(ql)?:\/\//)
  .refine((text) => URL.canParse(text));

/** Hosts as they stand in a URL. */
const hostList = z
  .string()
  .transform((text) =>
    text
      .split(',')
      .map((host) => host.trim().toLowerCase())
      .filter((host) => host !== ''),
  )
  .refine((hosts) => hosts.every((host) => URL.canParse(`http://${host}`) && !/[/?#@]/.test(host)));

export const optionTable = {
  port: {
    env: 'PORT',
    flag: 'port',
    schema: wholeNumber(65_535),
    default: '4000',
    description: 'Port of the HTTP server; 0 takes a free one',
    wants: 'a whole number from 0 to 65535',
  },
  host: {
    env: 'HOST',
    flag: 'host',
    schema: z.string().min(1),
    default: '127.0.0.1',
    description: 'Address that the HTTP server listens on; 0.0.0.0 for all of this machine',
    wants: 'an address or name of this machine',
  },
  dataDir: {
    env: 'DATA_DIR',
    flag: 'data-dir',
    schema: z.string().min(1),
    default: './data',
    description: 'Folder of the built-in PostgreSQL and of the secrets that are made at the first start',
    wants: 'the path of a folder; it is created',
  },
  databaseUrl: {
    env: 'DATABASE_URL',
    flag: null,
    schema: postgresUrl.optional(),
    default: null,
    description: 'A PostgreSQL of your own (15 or newer) instead of the built-in one',
    wants: 'a URL such as postgresql://user:password@host:5432/database',
    secret: true,
  },
  redisUrl: {
    env: 'REDIS_URL',
    flag: null,
    schema: redisUrl.optional(),
    default: null,
    description:
      'A Redis or Valkey over which the processes of one service tell each other of changes, and in which they count the requests of keys with a limit; without one they look once a second, and each counts for itself. A Redis Cluster (7.0 or newer) is known by any of its nodes; several, with commas between them, are better',
    wants: 'a URL such as redis://:password@host:6379, or several of one cluster with commas between them',
    secret: true,
  },
  role: {
    env: 'ROLE',
    flag: 'role',
    schema: z.enum(roles),
    default: 'all',
    description:
      'What this process serves: api (collections, admin API, dashboard), realtime (streams and publishing), worker (housekeeping only), or all',
    wants: `one of ${roles.join(', ')}`,
  },
  realtimeProcesses: {
    env: 'REALTIME_PROCESSES',
    flag: 'realtime-processes',
    schema: wholeNumber(64),
    default: '0',
    description:
      'How many child processes carry the streams of this process, so that a burst to many streams takes no time from commits; 0 carries them in the process itself. For the roles all and realtime',
    wants: 'a whole number from 0 to 64, with a processor for each',
  },
  logLevel: {
    env: 'LOG_LEVEL',
    flag: 'log-level',
    schema: z.enum(logLevels),
    default: 'info',
    description: 'How much is written to the log (stderr)',
    wants: `one of ${logLevels.join(', ')}`,
  },
  adminEmail: {
    env: 'ADMIN_EMAIL',
    flag: 'admin-email',
    schema: z.email().max(254).optional(),
    default: null,
    description:
      'Makes the first admin of the dashboard, together with ADMIN_PASSWORD; without them a setup link is printed',
    wants: 'an e-mail address',
  },
  adminPassword: {
    env: 'ADMIN_PASSWORD',
    flag: null,
    schema: z.string().min(10).max(256).optional(),
    default: null,
    description: 'Password of the first admin',
    wants: '10 to 256 characters',
    secret: true,
  },
  secretKey: {
    env: 'SECRET_KEY',
    flag: null,
    schema: z.string().min(32).max(1024).optional(),
    default: null,
    description:
      'Signs session cookies and the setup link; made at the first start and kept in DATA_DIR when it is not given. All processes of one service need the same',
    wants: 'at least 32 characters that nobody can guess',
    secret: true,
  },
  trustProxy: {
    env: 'TRUST_PROXY',
    flag: 'trust-proxy',
    schema: wholeNumber(10),
    default: '0',
    description: 'How many proxies stand in front and are believed in X-Forwarded-For and X-Forwarded-Proto',
    wants: 'a whole number from 0 to 10',
  },
  trustedIssuerHosts: {
    env: 'TRUSTED_ISSUER_HOSTS',
    flag: 'trusted-issuer-hosts',
    schema: hostList,
    default: '',
    description:
      'Hosts whose keys of tokens (auth.jwksUrl) may be fetched over http and at private addresses, with commas between them; all others must be on the Internet and have https',
    wants: 'names or addresses of hosts, with a port or without, as in localhost:8080,keycloak.internal',
  },
  streamsPerKey: {
    env: 'STREAMS_PER_KEY',
    flag: 'streams-per-key',
    schema: wholeNumber(1_000_000),
    default: '20000',
    description:
      'Most open streams of one key in this process; whoever comes beyond is told to come back later. 0 for no bound',
    wants: 'a whole number from 0 to 1000000',
  },
  streamsPerAddress: {
    env: 'STREAMS_PER_ADDRESS',
    flag: 'streams-per-address',
    schema: wholeNumber(1_000_000),
    default: '1000',
    description:
      'Most open streams of one address in this process (IPv6: of one /64); those of this machine itself are not counted. Behind proxies set TRUST_PROXY. 0 for no bound',
    wants: 'a whole number from 0 to 1000000',
  },
  attemptsPerAddress: {
    env: 'ATTEMPTS_PER_ADDRESS',
    flag: 'attempts-per-address',
    schema: wholeNumber(1_000_000),
    default: '600',
    description:
      'Requests without a good key in a minute of one address (IPv6: of one /64), over all processes with REDIS_URL; more get 429. Those of this machine itself are not counted. Behind proxies set TRUST_PROXY. 0 for no bound',
    wants: 'a whole number from 0 to 1000000',
  },
  maxStreams: {
    env: 'MAX_STREAMS',
    flag: 'max-streams',
    schema: wholeNumber(1_000_000),
    default: '50000',
    description: 'Most open streams of this process. Each needs a file descriptor (ulimit -n). 0 for no bound',
    wants: 'a whole number from 0 to 1000000',
  },
  streamMaxAgeMinutes: {
    env: 'STREAM_MAX_AGE_MINUTES',
    flag: 'stream-max-age-minutes',
    schema: wholeNumber(10_080),
    default: '30',
    description:
      'Minutes after which a stream is ended, a quarter more or less by chance; its client comes back with its cursor, to whichever process has room. 0 for never',
    wants: 'a whole number from 0 to 10080',
  },
  drainSeconds: {
    env: 'DRAIN_SECONDS',
    flag: 'drain-seconds',
    schema: wholeNumber(600),
    default: '1',
    description:
      'Over how many seconds open streams are ended at a stop; more of them want more, so that they do not all come back at once',
    wants: 'a whole number from 0 to 600',
  },
} satisfies OptionTable;

export type Config = OptionValues<typeof optionTable>;

/** The bounds of streams, as `composeServices` takes them. */
export function streamLimitsOf(config: Config) {
  const { streamsPerKey, streamsPerAddress, maxStreams, streamMaxAgeMinutes } = config;
  const maxAgeSeconds = streamMaxAgeMinutes * 60;
  return { perKey: streamsPerKey, perAddress: streamsPerAddress, total: maxStreams, maxAgeSeconds };
}

/** The bounds of requests, as `composeServices` takes them. */
export function requestBoundsOf({ redisUrl, attemptsPerAddress }: Config) {
  return { redisUrl: redisUrl ?? null, attemptsPerAddress };
}

/** Everything that is wrong with the configuration, one sentence a line. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
}

/** Reads the configuration from flags (by the table's names) and environment. Throws `ConfigError`. */
export function loadConfig(
  flags: Readonly<Record<string, string | undefined>>,
  env: Readonly<Record<string, string | undefined>>,
): Config {
  const outcome = parseOptions(optionTable, { env, flags });
  if (!outcome.ok) throw new ConfigError(outcome.errors.map(({ message }) => message).join('\n'));
  const { adminEmail, adminPassword } = outcome.values;
  if ((adminEmail === undefined) !== (adminPassword === undefined)) {
    const [given, missing] =
      adminEmail === undefined ? ['ADMIN_PASSWORD', 'ADMIN_EMAIL'] : ['ADMIN_EMAIL', 'ADMIN_PASSWORD'];
    throw new ConfigError(`${given} is set and ${missing} is not; the first admin needs both.`);
  }
  return outcome.values;
}
