/**
 * The counter of all processes together, in Redis or Valkey, of one server or a cluster. While Redis is away or slow, each process counts in its own memory: limits then hold for each
 * process, and requests go on. That is on purpose: a limit is no reason to refuse everybody.
 */
import { Cluster, Redis } from 'ioredis';
import { createMemoryRateCounter } from './memory-rate-counter.js';
import { type RateCount, type RateCounter, rateWindowMs } from './rate-counter.js';

export type RedisRateCounterOptions = {
  /** As in redis://[:password@]host:port[/db]. Several, with commas between them, are nodes of one cluster. */
  url: string;
  /** Milliseconds since the epoch. */
  now: () => number;
  /** Told once of each outage. */
  onError: (error: unknown) => void;
  /** How long a request waits for Redis. Default 250. */
  patienceMs?: number;
};

type Client = Redis | Cluster;

const prefix = 'tidewire:rate:';
/** How long nobody asks Redis after it has failed. */
const pauseMs = 1_000;
/** One key, so it runs on every node of a cluster. The minute begins with the first hit; a key that lost its end gets one. */
const countHit = `
  local hits = redis.call('INCR', KEYS[1])
  local left = redis.call('PTTL', KEYS[1])
  if left < 0 then
    redis.call('PEXPIRE', KEYS[1], ARGV[1])
    left = tonumber(ARGV[1])
  end
  return {hits, left}`;

/** Connects in the background; usable at once. */
export function createRedisRateCounter(options: RedisRateCounterOptions): RateCounter {
  const { url, now, onError, patienceMs = 250 } = options;
  const connection = { ...connectionDefaults, commandTimeout: patienceMs };
  const memory = createMemoryRateCounter({ now });
  const urls = url.split(',');
  let isClosed = false;
  let isReported = false;
  let awayUntil = 0;
  let client: Client = urls.length > 1 ? openCluster(urls) : openSingle();

  function fail(error: unknown): void {
    awayUntil = now() + pauseMs;
    if (!isReported && !isClosed) onError(error);
    isReported = true;
  }

  function openSingle(): Redis {
    const redis = new Redis(url, { ...connection, retryStrategy });
    redis.on('error', fail);
    redis.on('ready', () => {
      // Who may not ask (ACL) is taken for a single server.
      redis.info('cluster').then(
        (text) => {
          if (isClosed || !/^cluster_enabled:1/m.test(text)) return;
          redis.disconnect();
          client = openCluster([url]);
        },
        () => undefined,
      );
    });
    return redis;
  }

  function openCluster(nodes: string[]): Cluster {
    const { username, password, protocol } = new URL(nodes[0] ?? '');
    const isSecure = protocol === 'rediss:';
    const cluster = new Cluster(nodes, {
      enableOfflineQueue: false,
      clusterRetryStrategy: retryStrategy,
      // A certificate holds names, not the addresses behind them.
      ...(isSecure
        ? { dnsLookup: (name: string, done: (error: null, address: string) => void) => done(null, name) }
        : {}),
      redisOptions: {
        ...connection,
        ...(username === '' ? {} : { username: decodeURIComponent(username) }),
        ...(password === '' ? {} : { password: decodeURIComponent(password) }),
        ...(isSecure ? { tls: {} } : {}),
      },
    });
    cluster.on('error', fail);
    return cluster;
  }

  async function ask(subject: string): Promise<RateCount> {
    try {
      const answer = await client.eval(countHit, 1, prefix + subject, rateWindowMs);
      const [hits, leftMs] = Array.isArray(answer) ? answer.map(Number) : [];
      if (hits === undefined || leftMs === undefined) throw new Error('Redis answered something else than a count.');
      isReported = false;
      return { hits, resetAt: now() + leftMs };
    } catch (error) {
      fail(error);
      return memory.hit(subject);
    }
  }

  return {
    hit: (subject) => (client.status === 'ready' && awayUntil <= now() ? ask(subject) : memory.hit(subject)),
    close() {
      isClosed = true;
      client.disconnect();
    },
  };
}

const connectionDefaults = {
  enableOfflineQueue: false,
  maxRetriesPerRequest: 0,
  connectTimeout: 2_000,
  keepAlive: 10_000,
};

/** Milliseconds until the next try to connect: soon, then each second, a little apart from the others. */
function retryStrategy(attempt: number): number {
  return Math.min(50 * 2 ** attempt, 1_000) * (0.75 + Math.random() * 0.5);
}
