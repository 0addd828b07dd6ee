/**
 * The bus between processes: one Redis (or Valkey) channel, publish and subscribe. Redis keeps nothing of it, so whatever happens to
 * Redis costs at most the second until the next look at the heads. Hints of this process reach its own listeners without Redis.
 */
import { randomUUID } from 'node:crypto';
import { Redis } from 'ioredis';
import { z } from 'zod';
import type { ChangeBus, ChangeHint } from './change-bus.js';
import { createMemoryChangeBus } from './memory-change-bus.js';

export type RedisChangeBusOptions = {
  /** As in redis://[:password@]host:port[/db]. */
  url: string;
  /** Services that share a Redis need different ones. Default `tidewire:changes`. */
  channel?: string;
  /** A hint whose text is longer carries the head alone. Default 256 KiB. */
  hintLimitChars?: number;
  /** Hints that Redis has not taken yet are dropped beyond this many. Default 1,000. */
  pendingLimit?: number;
  /** Told of a connection that broke (it is made again by itself), of listeners that throw, and of messages that are none of ours. */
  onError: (error: unknown) => void;
};

const text = z.string().nullable();
const eventSchema = z.object({
  id: z.int().positive(),
  type: z.enum(['post', 'put', 'delete', 'publish']),
  collectionId: z.int().nullable(),
  collection: text,
  documentId: text,
  before: text,
  after: text,
  name: text,
  data: text,
  actor: z.string(),
  operationId: z.string(),
  at: z.string(),
});
const databaseId = z.int().positive();
const messageSchema = z.object({
  from: z.string(),
  hint: z.discriminatedUnion('kind', [
    z.object({ kind: z.literal('events'), databaseId, events: z.array(eventSchema) }),
    z.object({ kind: z.literal('head'), databaseId, head: z.int().positive() }),
    z.object({ kind: z.literal('config'), databaseId, configVersion: z.int() }),
  ]),
});

/** A bus over Redis that is usable at once, whether Redis answers or not. */
export function createRedisChangeBus(options: RedisChangeBusOptions): ChangeBus {
  const { url, onError } = options;
  const channel = options.channel ?? 'tidewire:changes';
  const hintLimitChars = options.hintLimitChars ?? 256 * 1024;
  const pendingLimit = options.pendingLimit ?? 1_000;
  const self = randomUUID();
  const local = createMemoryChangeBus({ onError });
  // Hints are worth nothing once they are late: none is queued for a Redis that is away, and none is sent again.
  const connection = { enableOfflineQueue: false, maxRetriesPerRequest: 0, connectTimeout: 2_000, retryStrategy };
  const publisher = new Redis(url, connection);
  const subscriber = new Redis(url, { ...connection, maxRetriesPerRequest: null, autoResubscribe: false });
  let pending = 0;
  let isClosed = false;

  reportOutages(publisher, onError);
  reportOutages(subscriber, onError);
  subscriber.on('ready', () => {
    subscriber.subscribe(channel).catch(onError);
  });
  subscriber.on('message', (_channel: string, message: string) => {
    const hint = decode(message);
    if (hint !== null && !isClosed) local.publish(hint);
  });

  function decode(message: string): ChangeHint | null {
    try {
      const { from, hint } = messageSchema.parse(JSON.parse(message));
      return from === self ? null : hint;
    } catch (error) {
      onError(error);
      return null;
    }
  }

  function encode(hint: ChangeHint): string {
    const message = JSON.stringify({ from: self, hint });
    const last = hint.kind === 'events' ? hint.events.at(-1) : undefined;
    if (last === undefined || message.length <= hintLimitChars) return message;
    return JSON.stringify({ from: self, hint: { kind: 'head', databaseId: hint.databaseId, head: last.id } });
  }

  return {
    publish(hint) {
      if (isClosed) return;
      local.publish(hint);
      if (publisher.status !== 'ready' || pending >= pendingLimit) return;
      pending += 1;
      publisher
        .publish(channel, encode(hint))
        .catch(onError)
        .finally(() => {
          pending -= 1;
        });
    },
    subscribe: (listener) => local.subscribe(listener),
    async close() {
      isClosed = true;
      publisher.disconnect();
      subscriber.disconnect();
      await local.close();
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
