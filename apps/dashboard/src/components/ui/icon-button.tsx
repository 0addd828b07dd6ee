import type { ComponentProps, ReactNode } from 'react';
import { classes } from './classes.js';
import { Tooltip } from './tooltip.js';

type IconButtonProps = Omit<ComponentProps<'button'>, 'children'> & { label: string; children: ReactNode };

/** A button that is only a picture: its label is its name and its tooltip. */
export function IconButton({ label, className, children, ...rest }: IconButtonProps) {
  return (
    <Tooltip text={label}>
      <button type="button" {...rest} aria-label={label} className={classes(iconButtonClasses, className)}>
        {children}
      </button>
    </Tooltip>
  );
}

export const iconButtonClasses =
  'inline-flex size-8 shrink-0 items-center justify-center rounded-md text-muted transition-colors hover:bg-hover hover:text-text disabled:cursor-not-allowed disabled:opacity-45 max-sm:size-9 [&_svg]:size-4';
