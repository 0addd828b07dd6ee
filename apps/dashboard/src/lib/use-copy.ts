import { useEffect, useState } from 'react';

export type CopyState = 'idle' | 'copied' | 'refused';

/** Copies a text and tells for two seconds how it went. Browsers refuse it on plain http away from localhost, so `refused` is an ordinary outcome. */
export function useCopy(): { state: CopyState; copy: (text: string) => Promise<void> } {
  const [state, setState] = useState<CopyState>('idle');
  useEffect(() => {
    if (state === 'idle') return;
    const timer = setTimeout(() => setState('idle'), 2000);
    return () => clearTimeout(timer);
  }, [state]);
  const copy = async (text: string) => setState((await tryCopy(text)) ? 'copied' : 'refused');
  return { state, copy };
}

async function tryCopy(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    // No clipboard here (insecure origin or no permission): the caller says so and leaves the text selectable.
    return false;
  }
}
