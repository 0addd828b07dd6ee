import type { AdminEvent } from '@tidewire/protocol/admin-api';
import { ChevronRight } from 'lucide-react';
import type { ReactNode } from 'react';
import { classes } from '../../../components/ui/classes.js';
import { CopyButton } from '../../../components/ui/copy-button.js';
import { EventTypeBadge } from '../../../components/ui/event-type.js';
import { JsonView } from '../../../components/ui/json-view.js';
import { formatClock, formatDateTime } from '../../../lib/format.js';
import { prettyJson } from '../../../lib/json-tokens.js';
import { previewData, subjectOf } from '../event-words.js';

/** The columns of the console. Narrow screens show id, time, type and subject, in two lines. */
export const consoleGrid =
  'grid grid-cols-[1.25rem_minmax(4rem,auto)_1fr_auto] items-center gap-x-3 gap-y-0.5 px-3 md:grid-cols-[1.25rem_6.25rem_5.75rem_4.25rem_minmax(6rem,9rem)_11rem_minmax(0,1fr)] xl:grid-cols-[1.25rem_6.25rem_5.75rem_4.25rem_minmax(6rem,10rem)_11rem_7rem_minmax(0,1fr)]';

type EventRowProps = {
  event: AdminEvent;
  rowIndex: number;
  isExpanded: boolean;
  isNew: boolean;
  onToggle: () => void;
  /** What stands below the event's data. */
  explain: (eventId: number) => ReactNode;
};

export function EventRow({ event, rowIndex, isExpanded, isNew, onToggle, explain }: EventRowProps) {
  const subject = subjectOf(event);
  return (
    <>
      <div
        role="row"
        aria-rowindex={rowIndex}
        className={classes(
          consoleGrid,
          'relative min-h-9 border-b border-line py-1.5 text-xs md:py-0',
          isExpanded ? 'bg-selected' : 'hover:bg-hover/70',
          isNew && 'animate-row-in',
        )}
      >
        <span role="cell" className="flex">
          <button
            type="button"
            aria-expanded={isExpanded}
            aria-label={`Event ${event.id}`}
            onClick={onToggle}
            className="flex size-5 items-center justify-center rounded-xs text-faint after:absolute after:inset-0 hover:text-text"
          >
            <ChevronRight aria-hidden className={classes('size-3.5 transition-transform', isExpanded && 'rotate-90')} />
          </button>
        </span>
        <span role="cell" className="font-mono text-muted">
          {event.id}
        </span>
        <span
          role="cell"
          className="font-mono text-muted max-md:col-start-3 max-md:row-start-1"
          title={formatDateTime(event.at)}
        >
          {formatClock(event.at)}
        </span>
        <span role="cell" className="flex max-md:col-start-4 max-md:row-start-1 max-md:justify-end">
          <EventTypeBadge type={event.type} />
        </span>
        <span role="cell" className="truncate font-medium max-md:col-span-3 max-md:col-start-2" title={subject}>
          {subject}
        </span>
        <span role="cell" className="truncate font-mono text-muted max-md:hidden" title={event.documentId ?? undefined}>
          {event.documentId ?? '–'}
        </span>
        <span role="cell" className="truncate text-muted max-xl:hidden" title={event.actor}>
          {event.actor}
        </span>
        <span role="cell" className="truncate font-mono text-faint max-md:hidden">
          {previewData(event)}
        </span>
      </div>
      {isExpanded ? <EventDetail event={event}>{explain(event.id)}</EventDetail> : null}
    </>
  );
}

function EventDetail({ event, children }: { event: AdminEvent; children: ReactNode }) {
  const facts: [string, string][] = [
    ['At', formatDateTime(event.at)],
    ['Actor', event.actor],
    ['Operation', event.operationId],
    ...(event.documentId ? ([['Document', event.documentId]] satisfies [string, string][]) : []),
  ];
  return (
    <div role="row" className="border-b border-line bg-canvas px-3 py-3 md:pl-11">
      <div role="cell" className="flex flex-col gap-3">
        <div className="flex items-start justify-between gap-3">
          <dl className="flex flex-wrap gap-x-6 gap-y-1 text-xs">
            {facts.map(([name, value]) => (
              <div key={name} className="flex min-w-0 gap-1.5">
                <dt className="text-faint">{name}</dt>
                <dd className="min-w-0 font-mono break-words text-muted">{value}</dd>
              </div>
            ))}
          </dl>
          <CopyButton text={prettyJson(event)} what="event" />
        </div>
        <JsonView value={event.data} label={`Data of event ${event.id}`} className="max-h-96" />
        {children}
      </div>
    </div>
  );
}
