/** How far an import or export is: a bar on a terminal, else a line every few seconds. */
import { Presets, SingleBar } from 'cli-progress';

export interface RowProgress {
  /** `done` is in the unit of `total`. */
  update(state: { done: number; documents: number }): void;
  stop(): void;
}

/** `total` is whatever can be known at the beginning: the bytes of a file, or the documents of a collection. */
export type ProgressOptions = { total: number; stream: NodeJS.WriteStream; now?: () => number };

const lineIntervalMs = 2_000;

export function createRowProgress({ total, stream, now = Date.now }: ProgressOptions): RowProgress {
  return stream.isTTY ? createBar(total, stream) : createLines(total, (line) => stream.write(line), now);
}

function createBar(total: number, stream: NodeJS.WriteStream): RowProgress {
  const format = '  {bar} {percentage} %  {documents} documents  {eta_formatted} left';
  const bar = new SingleBar({ stream, format, hideCursor: true, etaBuffer: 50 }, Presets.shades_classic);
  bar.start(total, 0, { documents: 0 });
  return {
    update: ({ done, documents }) => bar.update(done, { documents }),
    stop: () => bar.stop(),
  };
}

function createLines(total: number, write: (line: string) => void, now: () => number): RowProgress {
  let nextAt = now() + lineIntervalMs;
  return {
    update({ done, documents }) {
      if (now() < nextAt) return;
      nextAt = now() + lineIntervalMs;
      const percent = total === 0 ? 100 : Math.floor((100 * done) / total);
      write(`${documents} documents (${percent} %)\n`);
    },
    stop: () => undefined,
  };
}
