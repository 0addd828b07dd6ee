import type { ReactNode } from 'react';
import { classes } from './classes.js';

export type Tone = 'neutral' | 'accent' | 'post' | 'put' | 'delete' | 'publish' | 'rename' | 'drop';

const tones: Record<Tone, string> = {
  neutral: 'bg-hover text-muted',
  accent: 'bg-accent-soft text-accent-text',
  post: 'bg-post-soft text-post',
  put: 'bg-put-soft text-put',
  delete: 'bg-delete-soft text-delete',
  publish: 'bg-publish-soft text-publish',
  rename: 'bg-rename-soft text-rename',
  drop: 'bg-drop-soft text-drop',
};

/** A word that tells a state or a kind. */
export function Badge({
  tone = 'neutral',
  isMono,
  className,
  children,
}: {
  tone?: Tone;
  isMono?: boolean;
  className?: string;
  children: ReactNode;
}) {
  return (
    <span
      className={classes(
        'inline-flex h-5 max-w-full whitespace-nowrap items-center gap-1.5 rounded-xs px-1.5 text-2xs font-medium',
        isMono && 'font-mono',
        tones[tone],
        className,
      )}
    >
      {children}
    </span>
  );
}
