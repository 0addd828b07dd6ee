/** Lets at most so many run at a time; the others wait in the order in which they came. */

export interface Semaphore {
  /** Runs `work` when a place is free. Answers `full` at once, without running it, when too many wait already. */
  run<T>(work: () => Promise<T>): Promise<{ status: 'done'; value: T } | { status: 'full' }>;
}

/** `places` run, `waiting` more may wait. */
export function createSemaphore(places: number, waiting: number): Semaphore {
  const queue: (() => void)[] = [];
  let free = places;

  async function take(): Promise<void> {
    if (free > 0) free -= 1;
    else await new Promise<void>((resolve) => queue.push(resolve));
  }

  /** A place that is given back goes straight to whoever waits longest. */
  function giveBack(): void {
    const next = queue.shift();
    if (next === undefined) free += 1;
    else next();
  }

  return {
    async run(work) {
      if (free === 0 && queue.length >= waiting) return { status: 'full' };
      await take();
      try {
        return { status: 'done', value: await work() };
      } finally {
        giveBack();
      }
    },
  };
}
