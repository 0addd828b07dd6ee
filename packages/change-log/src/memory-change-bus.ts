import type { ChangeBus, ChangeHint } from './change-bus.js';

/** The bus of a single process. A listener that throws is reported to `onError` and does not keep the others from hearing. */
export function createMemoryChangeBus(options: { onError: (error: unknown) => void }): ChangeBus {
  const listeners = new Set<(hint: ChangeHint) => void>();
  return {
    publish(hint) {
      for (const listener of listeners) {
        try {
          listener(hint);
        } catch (error) {
          options.onError(error);
        }
      }
    },
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    async close() {
      listeners.clear();
    },
  };
}
