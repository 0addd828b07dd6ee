import { type ReactNode, type RefObject, useId, useRef } from 'react';
import { classes } from './classes.js';
import { FieldError } from './field.js';

/** Of a line, in pixels: the numbers and the text have it in common. */
const lineHeight = 20;

type CodeEditorProps = {
  label: string;
  value: string;
  onChange: (value: string) => void;
  /** Lines with a mistake, counted from 1. */
  markedLines?: ReadonlySet<number>;
  /** Height in lines: between `minLines` and `maxLines`, as the text needs. */
  minLines?: number;
  maxLines?: number;
  hint?: ReactNode;
  error?: string | undefined;
  isLabelHidden?: boolean;
  isReadOnly?: boolean;
  textarea?: RefObject<HTMLTextAreaElement | null>;
};

/** Text with line numbers. The Tab key leaves it, as it leaves every field. */
export function CodeEditor({
  label,
  value,
  onChange,
  markedLines,
  minLines = 3,
  maxLines = 32,
  hint,
  error,
  isLabelHidden,
  isReadOnly,
  textarea,
}: CodeEditorProps) {
  const id = useId();
  const numbers = useRef<HTMLDivElement>(null);
  const count = value.split('\n').length;
  const notes = [hint ? `${id}-hint` : null, error ? `${id}-error` : null].filter(Boolean).join(' ');
  return (
    <div className="flex min-w-0 flex-col gap-1.5">
      <label htmlFor={id} className={isLabelHidden ? 'sr-only' : 'text-sm font-medium'}>
        {label}
      </label>
      <div
        className={classes(
          'flex min-w-0 overflow-hidden rounded-md border bg-raised font-mono text-xs leading-5 focus-within:outline-2 focus-within:outline-offset-2 focus-within:outline-focus dark:bg-sunken',
          error ? 'border-danger' : 'border-line-strong',
        )}
      >
        {/* The last number gives the width; the numbers themselves lie over it, so that the height is that of the text. */}
        <div
          aria-hidden
          className="relative shrink-0 border-r border-line bg-sunken text-faint select-none dark:bg-canvas"
        >
          <span className="invisible px-2">{count}</span>
          <div ref={numbers} className="absolute inset-0 overflow-hidden pt-2 pb-8 text-right">
            {Array.from({ length: count }, (_, index) => (
              <div
                // biome-ignore lint/suspicious/noArrayIndexKey: a line is its number
                key={index}
                className={classes(
                  'h-5 px-2',
                  markedLines?.has(index + 1) &&
                    'bg-delete-soft font-medium text-delete shadow-[inset_2px_0_0_var(--danger)]',
                )}
              >
                {index + 1}
              </div>
            ))}
          </div>
        </div>
        <textarea
          ref={textarea}
          id={id}
          value={value}
          readOnly={isReadOnly}
          rows={Math.min(Math.max(count, minLines), maxLines)}
          wrap="off"
          spellCheck={false}
          autoCapitalize="off"
          autoComplete="off"
          aria-invalid={error ? true : undefined}
          aria-describedby={notes || undefined}
          onChange={(event) => onChange(event.target.value)}
          onScroll={(event) => {
            if (numbers.current) numbers.current.scrollTop = event.currentTarget.scrollTop;
          }}
          className="block min-w-0 flex-1 resize-none overflow-auto bg-transparent px-3 py-2 leading-5 text-text outline-none"
        />
      </div>
      {hint ? (
        <p id={`${id}-hint`} className="text-xs text-muted">
          {hint}
        </p>
      ) : null}
      <FieldError id={`${id}-error`} message={error} />
    </div>
  );
}

/** Puts the caret at the beginning of a line, counted from 1, and brings it into sight. */
export function goToLine(textarea: HTMLTextAreaElement | null, line: number): void {
  if (textarea === null) return;
  const lines = textarea.value.split('\n');
  const start = lines.slice(0, line - 1).reduce((length, text) => length + text.length + 1, 0);
  textarea.focus();
  textarea.setSelectionRange(start, start + (lines[line - 1]?.length ?? 0));
  textarea.scrollTop = Math.max(0, (line - 4) * lineHeight);
}
