import { type ReactNode, useEffect } from 'react';
import { classes } from './classes.js';

type PageProps = {
  title: string;
  heading?: ReactNode;
  description?: ReactNode;
  actions?: ReactNode;
  isFull?: boolean;
  children: ReactNode;
};

/** A page of the dashboard: its title in the tab and above its content. `isFull` gives it the whole height, for lists that scroll by themselves. */
export function Page({ title, heading, description, actions, isFull, children }: PageProps) {
  useEffect(() => {
    document.title = `${title} · Tidewire`;
  }, [title]);
  return (
    <div
      className={classes(
        'mx-auto flex w-full max-w-340 flex-col gap-5 px-4 py-5 sm:px-6 lg:px-8',
        isFull && 'h-full min-h-0',
      )}
    >
      <div className="flex flex-wrap items-start justify-between gap-x-6 gap-y-3">
        <div className="min-w-0">
          <h1 className="text-xl font-semibold tracking-[-0.015em]">{heading ?? title}</h1>
          {description ? <p className="mt-0.5 max-w-[80ch] text-sm text-muted">{description}</p> : null}
        </div>
        {actions ? <div className="flex flex-wrap items-center gap-2">{actions}</div> : null}
      </div>
      {children}
    </div>
  );
}
