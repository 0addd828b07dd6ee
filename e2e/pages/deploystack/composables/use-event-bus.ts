/** What the document's card asks of its application: a state that is shared, and events without data. */
const states = new Map<string, unknown>();
const listeners = new Map<string, Set<() => void>>();

export function useEventBus() {
  return {
    getState: <T>(name: string) => (states.get(name) ?? null) as T | null,
    setState: (name: string, value: unknown) => void states.set(name, value),
    on: (event: string, listener: () => void) =>
      void listeners.set(event, (listeners.get(event) ?? new Set()).add(listener)),
    off: (event: string, listener: () => void) => void listeners.get(event)?.delete(listener),
    emit(event: string) {
      for (const listener of listeners.get(event) ?? []) listener();
    },
  };
}
