/** How far an import is: a bar on a terminal, else a line every few seconds. */
import { Presets, SingleBar } from 'cli-progress';

export interface ImportProgress {
  update(state: { bytes: number; documents: number }): void;
  stop(): void;
}

export type ProgressOptions = { totalBytes: number; stream: NodeJS.WriteStream; now?: () => number };

const lineIntervalMs = 2_000;

export function createImportProgress({ totalBytes, stream, now = Date.now }: ProgressOptions): ImportProgress {
  return stream.isTTY ? createBar(totalBytes, stream) : createLines(totalBytes, (line) => stream.write(line), now);
}

function createBar(totalBytes: number, stream: NodeJS.WriteStream): ImportProgress {
  const format = '  {bar} {percentage} %  {documents} documents  {eta_formatted} left';
  const bar = new SingleBar({ stream, format, hideCursor: true, etaBuffer: 50 }, Presets.shades_classic);
  bar.start(totalBytes, 0, { documents: 0 });
  return {
    update: ({ bytes, documents }) => bar.update(bytes, { documents }),
    stop: () => bar.stop(),
  };
}

function createLines(totalBytes: number, write: (line: string) => void, now: () => number): ImportProgress {
  let nextAt = now() + lineIntervalMs;
  return {
    update({ bytes, documents }) {
      if (now() < nextAt) return;
      nextAt = now() + lineIntervalMs;
      const percent = totalBytes === 0 ? 100 : Math.floor((100 * bytes) / totalBytes);
      write(`${documents} documents (${percent} %)\n`);
    },
    stop: () => undefined,
  };
}
