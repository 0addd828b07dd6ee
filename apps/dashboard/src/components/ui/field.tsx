import { type ComponentProps, type ReactNode, useId } from 'react';
import { classes } from './classes.js';

type FieldProps = Omit<ComponentProps<'input'>, 'id'> & { label: string; hint?: ReactNode; error?: string | undefined };

export const inputClasses =
  'h-8.5 w-full min-w-0 rounded-md border border-line-strong bg-raised px-3 text-sm text-text transition-colors placeholder:text-faint hover:border-faint aria-invalid:border-danger max-sm:h-10 dark:bg-sunken';

/** A labelled text input with its hint and its mistake, both read out with it. */
export function Field({ label, hint, error, className, ...rest }: FieldProps) {
  const id = useId();
  const notes = [hint ? `${id}-hint` : null, error ? `${id}-error` : null].filter(Boolean).join(' ');
  return (
    <div className={classes('flex flex-col gap-1.5', className)}>
      <label htmlFor={id} className="text-sm font-medium">
        {label}
      </label>
      <input
        {...rest}
        id={id}
        aria-invalid={error ? true : undefined}
        aria-describedby={notes || undefined}
        className={inputClasses}
      />
      {hint ? (
        <p id={`${id}-hint`} className="text-xs text-muted">
          {hint}
        </p>
      ) : null}
      <FieldError id={`${id}-error`} message={error} />
    </div>
  );
}

/** What is wrong with a field, announced when it appears. */
export function FieldError({ id, message }: { id?: string; message: string | undefined }) {
  if (!message) return null;
  return (
    <p id={id} role="alert" className="text-xs font-medium text-delete">
      {message}
    </p>
  );
}
