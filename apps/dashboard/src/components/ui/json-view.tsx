import { useMemo } from 'react';
import { type JsonTokenKind, prettyJson, tokenizeJson } from '../../lib/json-tokens.js';
import { classes } from './classes.js';

const colours: Record<JsonTokenKind, string> = {
  key: 'text-accent-text',
  string: 'text-post',
  number: 'text-put',
  word: 'text-publish',
  mark: 'text-faint',
};

/** Past this many characters the text is shown in one colour, so that a huge document does not stop the page. */
const colourLimit = 60_000;

/** A JSON value, pretty printed, as text and nothing but text. */
export function JsonView({ value, label, className }: { value: unknown; label: string; className?: string }) {
  const text = useMemo(() => prettyJson(value), [value]);
  const tokens = useMemo(() => (text.length > colourLimit ? null : tokenizeJson(text)), [text]);
  return (
    <pre
      role="region"
      aria-label={label}
      // biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls must be reachable by keyboard
      tabIndex={0}
      className={classes(
        'overflow-auto rounded-md border border-line bg-sunken p-3.5 text-xs leading-5 break-words whitespace-pre-wrap',
        className,
      )}
    >
      {tokens
        ? // The pieces of one text never move against each other.
          tokens.map((token, index) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: see above
            <span key={index} className={colours[token.kind]}>
              {token.text}
            </span>
          ))
        : text}
    </pre>
  );
}
