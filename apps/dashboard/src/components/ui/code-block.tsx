import { CopyButton } from './copy-button.js';

type CodeBlockProps = { code: string; /** What it is, for the copy button and for the scrolling region. */ what: string };

/** A command or program to copy. Long lines scroll within it. */
export function CodeBlock({ code, what }: CodeBlockProps) {
  return (
    <div className="relative rounded-md border border-line bg-sunken text-left">
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls must be reachable by keyboard */}
      <pre tabIndex={0} aria-label={what} role="region" className="overflow-x-auto rounded-md py-2.5 pr-12 pl-3.5 text-xs leading-5 text-text">
        {code}
      </pre>
      <div className="absolute top-1 right-1">
        <CopyButton text={code} what={what} />
      </div>
    </div>
  );
}
