/**
 * The bus between processes: Redis (or Valkey) channels, publish and subscribe. Redis keeps nothing of it, so whatever happens to
 * Redis costs at most the second until the next look at the heads. Hints of this process reach its own listeners without Redis.
 */
import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import type { ChangeBus, ChangeHint } from './change-bus.js';
import { changeHintSchema, encodeHint } from './change-hint-text.js';
import { createMemoryChangeBus } from './memory-change-bus.js';
import { openRedisLink } from './redis-link.js';

export type RedisChangeBusOptions = {
  /** As in redis://[:password@]host:port[/db]; of a cluster any number of its nodes, with commas between them. */
  url: string;
  /** Services that share a Redis need different ones. Default `tidewire:changes`. */
  channel?: string;
  /** A hint whose text is longer carries the head alone. Default 256 KiB. */
  hintLimitChars?: number;
  /** Beyond so many characters that Redis has not taken yet, hints are dropped. Default 4 Mi. */
  pendingLimitChars?: number;
  /** Told of a connection that broke (it is made again by itself), of listeners that throw, and of messages that are none of ours. */
  onError: (error: unknown) => void;
};

const messageSchema = z.object({ from: z.string(), hint: changeHintSchema });

/** A bus over Redis that is usable at once, whether Redis answers or not. */
export function createRedisChangeBus(options: RedisChangeBusOptions): ChangeBus {
  const { url, onError, hintLimitChars } = options;
  const pendingLimitChars = options.pendingLimitChars ?? 4 * 1024 * 1024;
  const local = createMemoryChangeBus({ onError });
  const ownHead = `{"from":"${randomUUID()}","hint":`;
  let pendingChars = 0;
  let isRefused = false;
  let isClosed = false;
  const link = openRedisLink({
    urls: url.split(','),
    channel: options.channel ?? 'tidewire:changes',
    onError,
    onMessage(message) {
      const hint = decode(message);
      if (hint !== null && !isClosed) local.publish(hint);
    },
  });

  function decode(message: string): ChangeHint | null {
    // Our own come back, too, and are known by their first characters.
    if (message.startsWith(ownHead)) return null;
    try {
      return messageSchema.parse(JSON.parse(message)).hint;
    } catch (error) {
      onError(error);
      return null;
    }
  }

  function send(hint: ChangeHint): void {
    if (pendingChars >= pendingLimitChars) return;
    const text = encodeHint(hint, hintLimitChars);
    if (text === null) return;
    const sending = link.publish(hint.databaseId, `${ownHead}${text}}`);
    if (sending === null) return;
    pendingChars += text.length;
    sending
      .then(
        () => {
          isRefused = false;
        },
        (error: unknown) => {
          // One report for each outage, not for each hint.
          if (!isRefused) onError(error);
          isRefused = true;
        },
      )
      .finally(() => {
        pendingChars -= text.length;
      });
  }

  return {
    publish(hint) {
      if (isClosed) return;
      local.publish(hint);
      send(hint);
    },
    subscribe: (listener) => local.subscribe(listener),
    async close() {
      isClosed = true;
      link.close();
      await local.close();
    },
  };
}
