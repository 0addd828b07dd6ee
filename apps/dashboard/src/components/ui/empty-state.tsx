import type { ReactNode } from 'react';

type EmptyStateProps = { icon: ReactNode; title: string; children?: ReactNode; action?: ReactNode };

/** What an empty list says: what would be here, and what to do so that it is. */
export function EmptyState({ icon, title, children, action }: EmptyStateProps) {
  return (
    <div className="mx-auto flex max-w-144 flex-col items-center gap-2 px-5 py-12 text-center">
      <span className="mb-1 flex size-10 items-center justify-center rounded-full bg-accent-soft text-accent-text [&_svg]:size-5">
        {icon}
      </span>
      <p className="font-medium">{title}</p>
      {children ? <div className="flex w-full flex-col gap-3 text-sm text-muted">{children}</div> : null}
      {action ? <div className="mt-2 flex flex-wrap justify-center gap-2">{action}</div> : null}
    </div>
  );
}
