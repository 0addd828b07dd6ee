/** The composable that the document describes, written after its description alone. */
import { onUnmounted, type Ref, ref } from 'vue';

export interface UseSSEOptions {
  /** Milliseconds. */
  reconnectDelay?: number;
  withCredentials?: boolean;
}

export interface UseSSEReturn<T> {
  data: Ref<T | null>;
  isConnected: Ref<boolean>;
  isLoading: Ref<boolean>;
  error: Ref<string | null>;
  connect: (url: string) => void;
  disconnect: () => void;
}

export function useSSE<T>(eventName: string, options: UseSSEOptions = {}): UseSSEReturn<T> {
  const { reconnectDelay = 5000, withCredentials = true } = options;
  const data = ref(null) as Ref<T | null>;
  const isConnected = ref(false);
  const isLoading = ref(false);
  const error = ref<string | null>(null);
  let source: EventSource | null = null;
  let timer: ReturnType<typeof setTimeout> | undefined;

  function close() {
    clearTimeout(timer);
    source?.close();
    source = null;
    isConnected.value = false;
  }

  function connect(url: string) {
    close();
    isLoading.value = true;
    error.value = null;
    source = new EventSource(url, { withCredentials });
    source.onopen = () => {
      isConnected.value = true;
      error.value = null;
    };
    source.addEventListener(eventName, (event) => {
      // The value of the first key is the data.
      data.value = Object.values(JSON.parse(event.data))[0] as T;
      isLoading.value = false;
    });
    source.onerror = () => {
      close();
      isLoading.value = false;
      error.value = 'Connection lost. Reconnecting...';
      timer = setTimeout(() => connect(url), reconnectDelay);
    };
  }

  function disconnect() {
    close();
    data.value = null;
    isLoading.value = false;
    error.value = null;
  }

  onUnmounted(disconnect);
  return { data, isConnected, isLoading, error, connect, disconnect };
}
