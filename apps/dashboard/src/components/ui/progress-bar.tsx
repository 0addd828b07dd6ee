import { Progress as Base } from '@base-ui/react/progress';

type ProgressBarProps = {
  label: string;
  value: number;
  max: number /** The same in words, also read out. */;
  text: string;
};

/** How far something is, as a bar and in words. */
export function ProgressBar({ label, value, max, text }: ProgressBarProps) {
  return (
    <Base.Root
      value={Math.min(value, max)}
      max={Math.max(max, 1)}
      aria-label={label}
      getAriaValueText={() => text}
      className="flex w-full min-w-0 flex-col gap-1"
    >
      <Base.Track className="h-1.5 w-full overflow-hidden rounded-full bg-hover">
        <Base.Indicator className="h-full rounded-full bg-accent transition-[width] duration-200" />
      </Base.Track>
      <span aria-hidden className="text-xs text-muted">
        {text}
      </span>
    </Base.Root>
  );
}
