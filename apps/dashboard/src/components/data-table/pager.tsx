import { ChevronLeft, ChevronRight } from 'lucide-react';
import { formatCount } from '../../lib/format.js';
import { type Page, pageAround, pageSizes } from '../../lib/page-search.js';
import { Button } from '../ui/button.js';
import { Select } from '../ui/select.js';

type PagerProps = {
  page: Page;
  total: number;
  what: string;
  note?: string | undefined;
  onChange: (page: Page) => void;
};

const sizeOptions = pageSizes.map((size) => ({ value: String(size), label: `${size} per page` }));

/** Which part of a list is shown, and the way to its neighbours. */
export function Pager({ page, total, what, note, onChange }: PagerProps) {
  const { first, last, previous, next } = pageAround(page, total);
  const goTo = (skip: number | null) => skip !== null && onChange({ ...page, skip });
  return (
    <nav
      aria-label="Pages"
      className="flex flex-wrap items-center justify-between gap-3 border-t border-line bg-canvas px-4 py-2"
    >
      <p className="text-xs text-muted" aria-live="polite">
        {formatCount(first)}–{formatCount(last)} of {formatCount(total)} {what}
        {note ? <span className="text-faint"> · {note}</span> : null}
      </p>
      <div className="flex items-center gap-2">
        <Select
          label="Documents per page"
          value={String(page.max)}
          options={sizeOptions}
          onChange={(size) => onChange({ max: Number(size), skip: 0 })}
          className="h-7! text-xs max-sm:h-9!"
        />
        <Button
          size="sm"
          icon={<ChevronLeft aria-hidden />}
          disabled={previous === null}
          onClick={() => goTo(previous)}
        >
          <span className="max-sm:sr-only">Previous</span>
        </Button>
        <Button size="sm" disabled={next === null} onClick={() => goTo(next)}>
          <span className="max-sm:sr-only">Next</span>
          <ChevronRight aria-hidden />
        </Button>
      </div>
    </nav>
  );
}
