import { type ReactNode, useEffect, useId, useRef } from 'react';
import { CopyButton } from './copy-button.js';
import { inputClasses } from './field.js';

type ShownOnceProps = {
  label: string;
  text: string;
  /** What is copied, as in "Copy key". */
  what: string;
  hint: ReactNode;
  /** For when the form that had the focus is gone, and this is what comes next. */
  takesFocus?: boolean;
};

/** A secret that was just made and is not shown again: the whole of it is selected at once, or copied. */
export function ShownOnce({ label, text, what, hint, takesFocus }: ShownOnceProps) {
  const id = useId();
  const input = useRef<HTMLInputElement>(null);
  useEffect(() => {
    if (takesFocus) input.current?.focus();
  }, [takesFocus]);
  return (
    <div className="flex flex-col gap-1.5">
      <label htmlFor={id} className="text-sm font-medium">
        {label}
      </label>
      <div className="flex flex-wrap gap-2">
        <input
          ref={input}
          id={id}
          readOnly
          value={text}
          onFocus={(event) => event.currentTarget.select()}
          className={`${inputClasses} min-w-56 flex-1 border-accent! bg-accent-soft! font-mono text-xs!`}
        />
        <CopyButton text={text} what={what} isWide />
      </div>
      <p className="text-xs text-muted">{hint}</p>
    </div>
  );
}
