/** How far a task of several steps is: a bar on a terminal, else a line for each step. */
import { Presets, SingleBar } from 'cli-progress';

export interface StepProgress {
  /** `share` from 0 to 1 over all steps. */
  update(state: { share: number; step: string }): void;
  stop(): void;
}

export function createStepProgress(stream: NodeJS.WriteStream): StepProgress {
  return stream.isTTY ? createBar(stream) : createLines((line) => stream.write(line));
}

function createBar(stream: NodeJS.WriteStream): StepProgress {
  const bar = new SingleBar(
    { stream, format: '  {bar} {percentage} %  {step}', hideCursor: true },
    Presets.shades_classic,
  );
  bar.start(100, 0, { step: '' });
  return {
    update: ({ share, step }) => bar.update(Math.floor(share * 100), { step }),
    stop: () => bar.stop(),
  };
}

function createLines(write: (line: string) => void): StepProgress {
  let shown = '';
  return {
    update({ share, step }) {
      if (step === shown) return;
      shown = step;
      write(`${Math.floor(share * 100)} %: ${step}\n`);
    },
    stop: () => undefined,
  };
}
