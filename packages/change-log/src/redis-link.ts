/**
 * How messages go through Redis: by one channel of one server, or, when that server is part of a Redis Cluster, by sharded channels
 * (`SPUBLISH`, `SSUBSCRIBE`; Redis 7.0, Valkey): an ordinary channel of a cluster is copied to all of its nodes.
 */
import { Cluster, Redis } from 'ioredis';

export type RedisLinkOptions = {
  /** As in redis://[:password@]host:port[/db]. Several are nodes of one cluster. */
  urls: readonly string[];
  channel: string;
  onMessage: (message: string) => void;
  /** Told once of each outage. */
  onError: (error: unknown) => void;
};

export interface RedisLink {
  /** Resolves when Redis has the message, rejects when it does not take it. Null when Redis is away: then nothing waits for it. */
  publish(shard: number, message: string): Promise<unknown> | null;
  close(): void;
}

/** Channels of a cluster; their names decide which node has which. All processes of a service must agree on the number. */
const shards = 16;
const connectTimeout = 2_000;
/** Silence on a connection after which the system asks whether the other side is still there. */
const keepAlive = 10_000;

/** A link that is usable at once. One server is asked whether it belongs to a cluster, and if so the link goes over to sharded channels. */
export function openRedisLink(options: RedisLinkOptions): RedisLink {
  if (options.urls.length > 1) return openCluster(options);
  let link: RedisLink = openSingle(options, () => {
    link.close();
    link = openCluster(options);
  });
  return {
    publish: (shard, message) => link.publish(shard, message),
    close: () => link.close(),
  };
}

function openSingle({ urls, channel, onMessage, onError }: RedisLinkOptions, onCluster: () => void): RedisLink {
  const url = urls[0] ?? '';
  // Hints are worth nothing once they are late: none is queued for a Redis that is away, and none is sent again.
  const connection = { enableOfflineQueue: false, maxRetriesPerRequest: 0, connectTimeout, keepAlive, retryStrategy };
  const publisher = new Redis(url, connection);
  const subscriber = new Redis(url, { ...connection, maxRetriesPerRequest: null, autoResubscribe: false });
  let isClosed = false;
  reportOutages(publisher, onError);
  reportOutages(subscriber, onError);
  publisher.on('ready', () => {
    // Who may not ask (ACL) is taken for a single server.
    publisher.info('cluster').then(
      (text) => !isClosed && /^cluster_enabled:1/m.test(text) && onCluster(),
      () => undefined,
    );
  });
  subscriber.on('ready', () => {
    subscriber.subscribe(channel).catch(onError);
  });
  subscriber.on('message', (_channel: string, message: string) => {
    if (!isClosed) onMessage(message);
  });
  return {
    publish: (_shard, message) => (publisher.status === 'ready' ? publisher.publish(channel, message) : null),
    close() {
      isClosed = true;
      publisher.disconnect();
      subscriber.disconnect();
    },
  };
}

/**
 * A client of a cluster that lost a node does not reliably find back to its sharded subscriptions (ioredis 6.0.0, all nodes killed and
 * started again). So a client is used only as long as nothing breaks: then another one is made, once a second at most, which takes
 * its place when it is ready.
 */
function openCluster(options: RedisLinkOptions): RedisLink {
  let current: ClusterClient | null = null;
  let coming: ClusterClient | null = null;
  let timer: NodeJS.Timeout | undefined;
  let isReported = false;

  function replace(): void {
    timer = undefined;
    coming?.close();
    const client = connectCluster(options, {
      onReady() {
        if (coming !== client) return;
        current?.close();
        current = client;
        coming = null;
        isReported = false;
      },
      onTrouble(error) {
        if (client !== current && client !== coming) return;
        if (!isReported) options.onError(error);
        isReported = true;
        timer ??= setTimeout(replace, retryStrategy(10));
      },
    });
    coming = client;
  }

  replace();
  return {
    publish: (shard, message) => current?.publish(shard, message) ?? null,
    close() {
      clearTimeout(timer);
      current?.close();
      coming?.close();
      current = null;
      coming = null;
    },
  };
}

type ClusterClient = RedisLink;

function connectCluster(
  { urls, channel, onMessage }: RedisLinkOptions,
  { onReady, onTrouble }: { onReady: () => void; onTrouble: (error: unknown) => void },
): ClusterClient {
  const { username, password, protocol } = new URL(urls[0] ?? '');
  const isSecure = protocol === 'rediss:';
  const cluster = new Cluster([...urls], {
    enableOfflineQueue: false,
    shardedSubscribers: true,
    clusterRetryStrategy: null,
    maxRedirections: 3,
    slotsRefreshTimeout: connectTimeout,
    // A certificate holds names, not the addresses behind them.
    ...(isSecure
      ? { dnsLookup: (name: string, done: (error: null, address: string) => void) => done(null, name) }
      : {}),
    redisOptions: {
      connectTimeout,
      keepAlive,
      maxRetriesPerRequest: 0,
      ...(username === '' ? {} : { username: decodeURIComponent(username) }),
      ...(password === '' ? {} : { password: decodeURIComponent(password) }),
      ...(isSecure ? { tls: {} } : {}),
    },
  });
  const channels = Array.from({ length: shards }, (_, shard) => `${channel}:{${shard}}`);
  let isClosed = false;
  const trouble = (error: unknown) => {
    if (!isClosed) onTrouble(error instanceof Error ? error : new Error('A connection to the Redis Cluster was lost.'));
  };
  for (const event of ['error', 'node error', 'nodeError', '-node', 'end']) cluster.on(event, trouble);
  cluster.once('ready', () => {
    Promise.all(channels.map((name) => cluster.ssubscribe(name))).then(onReady, trouble);
  });
  cluster.on('smessage', (_channel: string, message: string) => {
    if (!isClosed) onMessage(message);
  });
  return {
    publish: (shard, message) =>
      cluster.status === 'ready' ? cluster.spublish(channels[shard % shards] ?? channel, message) : null,
    close() {
      isClosed = true;
      cluster.disconnect();
    },
  };
}

/** One report for each outage, not for each of the tries to end it. */
function reportOutages(redis: Redis, onError: (error: unknown) => void): void {
  let isReported = false;
  redis.on('error', (error: unknown) => {
    if (!isReported) onError(error);
    isReported = true;
  });
  redis.on('ready', () => {
    isReported = false;
  });
}

/** Milliseconds until the next try to connect: soon, then each second, a little apart from the others. */
function retryStrategy(attempt: number): number {
  return Math.min(50 * 2 ** attempt, 1_000) * (0.75 + Math.random() * 0.5);
}
