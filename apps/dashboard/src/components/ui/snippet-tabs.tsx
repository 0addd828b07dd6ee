import { Tabs } from '@base-ui/react/tabs';
import type { Snippet } from '../../lib/snippets.js';
import { CodeBlock } from './code-block.js';

/** Snippets side by side, each with what it does. */
export function SnippetTabs({ snippets }: { snippets: readonly Snippet[] }) {
  return (
    <Tabs.Root defaultValue={snippets[0]?.id} className="flex min-w-0 flex-col gap-3">
      <Tabs.List
        className="flex w-full gap-0.5 overflow-x-auto rounded-md bg-sunken p-0.5 sm:w-fit"
        aria-label="First steps"
      >
        {snippets.map(({ id, label }) => (
          <Tabs.Tab
            key={id}
            value={id}
            className="h-7 flex-1 rounded-sm px-3 text-xs font-medium whitespace-nowrap text-muted transition-colors hover:text-text data-active:bg-raised data-active:text-text data-active:shadow-[0_0_0_1px_var(--line)] max-sm:h-9"
          >
            {label}
          </Tabs.Tab>
        ))}
      </Tabs.List>
      {snippets.map(({ id, label, explanation, code }) => (
        <Tabs.Panel key={id} value={id} className="flex min-w-0 flex-col gap-2 rounded-sm">
          <p className="text-sm text-muted">{explanation}</p>
          <CodeBlock code={code} what={`${label} snippet`} />
        </Tabs.Panel>
      ))}
    </Tabs.Root>
  );
}
