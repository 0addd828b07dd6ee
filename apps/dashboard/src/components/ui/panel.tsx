import { type ReactNode, useId } from 'react';
import { classes } from './classes.js';

type PanelProps = {
  title?: string;
  description?: ReactNode;
  actions?: ReactNode;
  isFlush?: boolean;
  className?: string;
  children: ReactNode;
};

/** A bordered part of a page, with its own heading. `isFlush` lets a table reach the border. */
export function Panel({ title, description, actions, isFlush, className, children }: PanelProps) {
  const id = useId();
  return (
    <section
      aria-labelledby={title ? id : undefined}
      className={classes(
        'flex min-w-0 flex-col overflow-hidden rounded-lg border border-line bg-raised dark:bg-surface',
        className,
      )}
    >
      {title ? (
        <header className="flex flex-wrap items-center justify-between gap-x-4 gap-y-1 border-b border-line px-4 py-2.5">
          <div className="min-w-0">
            <h2 id={id} className="text-sm font-semibold">
              {title}
            </h2>
            {description ? <p className="text-xs text-muted">{description}</p> : null}
          </div>
          {actions}
        </header>
      ) : null}
      <div className={classes('min-w-0 flex-1', !isFlush && 'p-4')}>{children}</div>
    </section>
  );
}
