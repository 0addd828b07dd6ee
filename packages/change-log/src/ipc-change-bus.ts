/**
 * The bus between a process and its children, over the channel that Node gives them (`process.send`). The parent connects its own bus,
 * whichever that is, to each child; a child has a bus of its own over the channel. What one child publishes reaches the parent, all that
 * the parent's bus reaches, and the other children.
 */
import type { ChangeBus, ChangeHint } from './change-bus.js';
import { decodeHint } from './change-hint-text.js';
import { createHintPipe } from './hint-pipe.js';
import { createMemoryChangeBus } from './memory-change-bus.js';

/** One end of a channel that carries texts in order and without loss while both processes live. */
export type TextChannel = {
  /** `sent` is called once when the text has left this process or is lost; never within `send`. */
  send(text: string, sent: () => void): void;
  /** Returns the way to stop listening. */
  onText(listener: (text: string) => void): () => void;
};

export type IpcChangeBusOptions = {
  channel: TextChannel;
  /** Characters on their way to the other process beyond which events are no longer carried, only where the log ends. Default 8 Mi. */
  pendingLimitChars?: number;
  /** Told of listeners that throw, and of texts that are no hints. */
  onError: (error: unknown) => void;
};

const defaultPendingLimitChars = 8 * 1024 * 1024;

/** The bus of a child. It ends with the channel. */
export function createIpcChangeBus({ channel, pendingLimitChars, onError }: IpcChangeBusOptions): ChangeBus {
  const local = createMemoryChangeBus({ onError });
  const pipe = createHintPipe({
    send: channel.send,
    pendingLimitChars: pendingLimitChars ?? defaultPendingLimitChars,
  });
  const stop = channel.onText((text) => {
    const hint = tryDecode(text, onError);
    if (hint !== null) local.publish(hint);
  });
  let isClosed = false;
  return {
    publish(hint) {
      if (isClosed) return;
      local.publish(hint);
      pipe.offer(hint);
    },
    subscribe: (listener) => local.subscribe(listener),
    async close() {
      isClosed = true;
      stop();
      await local.close();
    },
  };
}

/** Connects the parent's bus to one child. Returns the way to disconnect it. */
export function connectChangeBus(
  bus: ChangeBus,
  { channel, pendingLimitChars, onError }: IpcChangeBusOptions,
): () => void {
  const pipe = createHintPipe({
    send: channel.send,
    pendingLimitChars: pendingLimitChars ?? defaultPendingLimitChars,
  });
  // The bus gives a hint to its listeners within `publish`: this one came from that child and is not sent back.
  let arriving: ChangeHint | null = null;
  const stopHearing = bus.subscribe((hint) => {
    if (hint !== arriving) pipe.offer(hint);
  });
  const stopReading = channel.onText((text) => {
    arriving = tryDecode(text, onError);
    if (arriving !== null) bus.publish(arriving);
    arriving = null;
  });
  return () => {
    stopHearing();
    stopReading();
  };
}

function tryDecode(text: string, onError: (error: unknown) => void): ChangeHint | null {
  try {
    return decodeHint(text);
  } catch (error) {
    onError(error);
    return null;
  }
}
