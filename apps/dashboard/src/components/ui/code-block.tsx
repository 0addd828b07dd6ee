import { CopyButton } from './copy-button.js';

type CodeBlockProps = {
  code: string /** What it is, for the copy button and for the scrolling region. */;
  what: string;
};

/** A command or program to copy. Long lines scroll within it. */
export function CodeBlock({ code, what }: CodeBlockProps) {
  return (
    <div className="flex items-start gap-1 rounded-md border border-line bg-sunken p-1 text-left">
      <pre
        // biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls must be reachable by keyboard
        tabIndex={0}
        aria-label={what}
        role="region"
        className="min-w-0 flex-1 overflow-x-auto rounded-sm px-2.5 py-1.5 text-xs leading-5 text-text"
      >
        {code}
      </pre>
      <CopyButton text={code} what={what} />
    </div>
  );
}
