import { X } from 'lucide-react';
import { classes } from './classes.js';

type ChipProps = { text: string; title?: string; onRemove?: () => void; isFaded?: boolean };

/** One entry of a list of short texts, removable in an editor. A method in front of a colon is set apart from the name. */
export function Chip({ text, title, onRemove, isFaded }: ChipProps) {
  const [method, name] = splitMethod(text);
  return (
    <span
      title={title ?? text}
      className={classes(
        'inline-flex h-5.5 max-w-full min-w-0 items-center rounded-xs border border-line bg-sunken px-1.5 font-mono text-2xs',
        isFaded && 'text-muted',
      )}
    >
      <span className="truncate">
        {method ? <span className="text-accent-text">{method}:</span> : null}
        {name}
      </span>
      {onRemove ? (
        <button
          type="button"
          aria-label={`Remove ${text}`}
          onClick={onRemove}
          className="-mr-1 ml-1 flex size-4.5 shrink-0 items-center justify-center rounded-xs text-faint hover:bg-hover hover:text-text"
        >
          <X aria-hidden className="size-3" />
        </button>
      ) : null}
    </span>
  );
}

function splitMethod(text: string): [string, string] {
  const match = /^([A-Z]+|\*):(.+)$/.exec(text);
  return match ? [match[1] ?? '', match[2] ?? ''] : ['', text];
}
