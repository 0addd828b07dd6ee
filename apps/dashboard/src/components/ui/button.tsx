import { LoaderCircle } from 'lucide-react';
import type { ComponentProps, ReactNode } from 'react';
import { classes } from './classes.js';

type Variant = 'primary' | 'secondary' | 'quiet' | 'danger';
export type ButtonProps = ComponentProps<'button'> & {
  variant?: Variant;
  size?: 'sm' | 'md';
  /** Shows that the work is under way and takes no second press; the name stays. */
  isBusy?: boolean;
  icon?: ReactNode;
};

const variants: Record<Variant, string> = {
  primary: 'border-transparent bg-accent text-on-accent hover:bg-accent-hover',
  secondary: 'border-line-strong bg-raised text-text hover:bg-hover',
  quiet: 'border-transparent text-muted hover:bg-hover hover:text-text',
  danger: 'border-transparent bg-danger text-on-danger hover:bg-danger-hover',
};
const sizes = { sm: 'h-7 gap-1.5 px-2.5 text-xs max-sm:h-9', md: 'h-8.5 gap-2 px-3.5 text-sm max-sm:h-10' };

/** The look of a button, for links that act as one. */
export function buttonClasses(variant: Variant = 'secondary', size: 'sm' | 'md' = 'md'): string {
  return classes(
    'inline-flex shrink-0 items-center justify-center rounded-md border font-medium whitespace-nowrap transition-colors',
    'disabled:cursor-not-allowed disabled:opacity-55 [&_svg]:size-4 [&_svg]:shrink-0',
    variants[variant],
    sizes[size],
  );
}

export function Button({
  variant = 'secondary',
  size = 'md',
  isBusy,
  icon,
  className,
  children,
  disabled,
  ...rest
}: ButtonProps) {
  return (
    <button
      type="button"
      {...rest}
      disabled={disabled || isBusy}
      aria-busy={isBusy || undefined}
      className={classes(buttonClasses(variant, size), className)}
    >
      {isBusy ? <LoaderCircle aria-hidden className="animate-spin" /> : icon}
      {children}
    </button>
  );
}
