import { useVirtualizer } from '@tanstack/react-virtual';
import { ArrowUp, Pause, Play, Radio, SearchX } from 'lucide-react';
import { type ReactNode, useDeferredValue, useEffect, useMemo, useRef, useState } from 'react';
import { Button } from '../../../components/ui/button.js';
import { classes } from '../../../components/ui/classes.js';
import { CodeBlock } from '../../../components/ui/code-block.js';
import { EmptyState } from '../../../components/ui/empty-state.js';
import { ErrorState } from '../../../components/ui/error-state.js';
import { LoadingNote, Skeleton } from '../../../components/ui/skeleton.js';
import { formatAmount, formatCount } from '../../../lib/format.js';
import { firstSteps } from '../../../lib/snippets.js';
import { type EventBuffer, rowLimit } from '../event-buffer.js';
import { type EventFilter, eventMatcher, isFiltering } from '../event-filter.js';
import { useEventBuffer } from '../use-event-buffer.js';
import { useFreshFrom } from '../use-fresh-from.js';
import { EventFilters } from './event-filters.js';
import { consoleGrid, EventRow } from './event-row.js';

type EventConsoleProps = {
  database: string;
  collections: readonly string[];
  filter: EventFilter;
  onFilterChange: (filter: EventFilter) => void;
  explain: EventRowsProps['explain'];
};

/** The log as it grows, the newest on top. It stands still while it is paused, scrolled down or an event is open, and tells what waits. */
export function EventConsole({ database, collections, filter, onFilterChange, explain }: EventConsoleProps) {
  const { buffer, history, loadOlder, setHeld } = useEventBuffer(database);
  const [isPaused, setIsPaused] = useState(false);
  const [isScrolled, setIsScrolled] = useState(false);
  const [expanded, setExpanded] = useState<ReadonlySet<number>>(new Set());
  const scroller = useRef<HTMLDivElement>(null);
  const isHeld = isPaused || isScrolled || expanded.size > 0;
  useEffect(() => setHeld(isHeld), [isHeld, setHeld]);

  const shownFilter = useDeferredValue(filter);
  const rows = useMemo(() => buffer.rows.filter(eventMatcher(shownFilter)).reverse(), [buffer.rows, shownFilter]);
  const freshFrom = useFreshFrom(buffer.rows.at(-1)?.id, history.state !== 'loading');

  function toggle(id: number) {
    const next = new Set(expanded);
    if (!next.delete(id)) next.add(id);
    setExpanded(next);
  }

  function showNewest() {
    setIsPaused(false);
    setExpanded(new Set());
    scroller.current?.scrollTo({ top: 0 });
  }

  return (
    <div className="flex min-h-0 flex-1 flex-col overflow-hidden rounded-lg border border-line bg-raised dark:bg-surface">
      <div className="flex flex-wrap items-center gap-2 border-b border-line p-2.5">
        <EventFilters filter={filter} collections={collections} onChange={onFilterChange} />
        <Button
          icon={isPaused ? <Play aria-hidden /> : <Pause aria-hidden />}
          onClick={() => setIsPaused(!isPaused)}
          className="w-24 max-sm:order-2"
        >
          {isPaused ? 'Resume' : 'Pause'}
        </Button>
      </div>
      <div
        ref={scroller}
        onScroll={(event) => setIsScrolled(event.currentTarget.scrollTop > 4)}
        className="relative min-h-80 flex-1 overflow-y-auto"
      >
        <EventRows
          rows={rows}
          scroller={scroller}
          expanded={expanded}
          freshFrom={freshFrom}
          onToggle={toggle}
          explain={explain}
          isLoading={history.state === 'loading' && buffer.rows.length === 0}
        />
        {rows.length === 0 && history.state !== 'loading' && history.state !== 'failed' ? (
          <NoEvents filter={filter} loaded={buffer.rows.length} onClear={() => onFilterChange({})} />
        ) : null}
        {history.state === 'failed' ? <ErrorState error={history.error} onRetry={loadOlder} /> : null}
        <div className="flex justify-center p-3">
          {history.state === 'more' && buffer.rows.length < rowLimit ? (
            <Button onClick={loadOlder}>Load older events</Button>
          ) : null}
          {history.state === 'loading' && buffer.rows.length > 0 ? <Button isBusy>Load older events</Button> : null}
          {history.state === 'complete' && rows.length > 0 ? (
            <p className="text-xs text-faint">Here the log begins.</p>
          ) : null}
        </div>
      </div>
      <StatusBar isPaused={isPaused} isHeld={isHeld} buffer={buffer} onShow={showNewest}>
        {isFiltering(filter) ? `${formatCount(rows.length)} of ` : ''}
        {formatAmount(buffer.rows.length, 'event')} loaded
        {buffer.rows.length >= rowLimit ? `, the newest ${formatCount(rowLimit)} are kept` : ''}
      </StatusBar>
    </div>
  );
}

type EventRowsProps = {
  rows: readonly Parameters<typeof EventRow>[0]['event'][];
  scroller: React.RefObject<HTMLDivElement | null>;
  expanded: ReadonlySet<number>;
  freshFrom: number;
  isLoading: boolean;
  onToggle: (id: number) => void;
  explain: (eventId: number) => ReactNode;
};

function EventRows({ rows, scroller, expanded, freshFrom, isLoading, onToggle, explain }: EventRowsProps) {
  const virtualizer = useVirtualizer({
    count: rows.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => 37,
    getItemKey: (index) => rows[index]?.id ?? index,
    overscan: 12,
  });
  return (
    <div role="table" aria-label="Events" aria-rowcount={rows.length + 1} aria-busy={isLoading || undefined}>
      <div
        role="row"
        aria-rowindex={1}
        className={classes(
          consoleGrid,
          'sticky top-0 z-10 h-8 border-b border-line bg-canvas text-xs font-medium text-muted',
        )}
      >
        <span role="columnheader">
          <span className="sr-only">Details</span>
        </span>
        <span role="columnheader">Id</span>
        <span role="columnheader">Time</span>
        <span role="columnheader">Type</span>
        <span role="columnheader" className="max-md:hidden">
          Collection
        </span>
        <span role="columnheader" className="max-md:hidden">
          Document
        </span>
        <span role="columnheader" className="max-xl:hidden">
          Actor
        </span>
        <span role="columnheader" className="max-md:hidden">
          Data
        </span>
      </div>
      {isLoading ? <LoadingRows /> : null}
      <div role="rowgroup" className="relative" style={{ height: virtualizer.getTotalSize() }}>
        {virtualizer.getVirtualItems().map(({ index, start, key }) => {
          const event = rows[index];
          if (!event) return null;
          return (
            <div
              key={key}
              role="presentation"
              data-index={index}
              ref={virtualizer.measureElement}
              className="absolute inset-x-0 top-0"
              style={{ transform: `translateY(${start}px)` }}
            >
              <EventRow
                event={event}
                rowIndex={index + 2}
                isExpanded={expanded.has(event.id)}
                isNew={event.id >= freshFrom}
                onToggle={() => onToggle(event.id)}
                explain={explain}
              />
            </div>
          );
        })}
      </div>
    </div>
  );
}

function LoadingRows() {
  return (
    <>
      <LoadingNote what="events" />
      {Array.from({ length: 8 }, (_, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: placeholders have no identity
        <div key={index} className="flex h-9 items-center gap-6 border-b border-line px-4">
          <Skeleton className="h-3.5 w-16" />
          <Skeleton className="h-3.5 w-20" />
          <Skeleton className="h-3.5 w-12" />
          <Skeleton className="h-3.5 w-40" />
        </div>
      ))}
    </>
  );
}

type StatusBarProps = {
  isPaused: boolean;
  isHeld: boolean;
  buffer: EventBuffer;
  onShow: () => void;
  children: ReactNode;
};

/** What is loaded, and what waits. Always there, so that nothing moves when something begins to wait. */
function StatusBar({ isPaused, isHeld, buffer, onShow, children }: StatusBarProps) {
  const waiting = buffer.waiting.length;
  const isShown = isPaused || (isHeld && waiting > 0);
  return (
    <div
      className={classes(
        'flex h-11 shrink-0 items-center justify-between gap-3 border-t border-line px-3 text-xs',
        isShown ? 'bg-put-soft' : 'bg-canvas',
      )}
    >
      {/* Said once, not with every event that is held back. */}
      <span role="status" className="sr-only">
        {isShown ? (isPaused ? 'Paused' : 'New events are held back while you read') : ''}
      </span>
      {isShown ? (
        <span className="min-w-0 truncate font-medium text-put">
          {isPaused ? 'Paused' : 'Standing still while you read'} · {formatAmount(waiting, 'event')} held back
          {buffer.missed > 0 ? `, ${formatCount(buffer.missed)} older ones let go` : ''}
        </span>
      ) : (
        <span className="min-w-0 truncate text-muted">{children}</span>
      )}
      {isShown && waiting > 0 ? (
        <Button size="sm" icon={<ArrowUp aria-hidden />} onClick={onShow}>
          Show newest
        </Button>
      ) : null}
    </div>
  );
}

function NoEvents({ filter, loaded, onClear }: { filter: EventFilter; loaded: number; onClear: () => void }) {
  if (isFiltering(filter) && loaded > 0) {
    return (
      <EmptyState
        icon={<SearchX aria-hidden />}
        title="No event fits the filter"
        action={<Button onClick={onClear}>Clear filter</Button>}
      >
        <p>Looked through {formatAmount(loaded, 'loaded event')}. Older ones may fit: load them below.</p>
      </EmptyState>
    );
  }
  const write = firstSteps({ origin: window.location.origin }).find(({ id }) => id === 'write');
  return (
    <EmptyState icon={<Radio aria-hidden />} title="No event yet">
      <p>Each write and each published event shows up here the moment it is committed. Try one:</p>
      <CodeBlock code={write?.code ?? ''} what="write command" />
    </EmptyState>
  );
}
