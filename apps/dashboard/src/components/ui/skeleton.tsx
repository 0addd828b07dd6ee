import { classes } from './classes.js';

/** The shape of something that is on its way. */
export function Skeleton({ className }: { className?: string }) {
  return <span aria-hidden className={classes('block animate-soft-pulse rounded-sm bg-hover', className)} />;
}

/** Says to assistive technology that a part of the page is loading. */
export function LoadingNote({ what }: { what: string }) {
  return (
    <span role="status" className="sr-only">
      Loading {what}…
    </span>
  );
}
