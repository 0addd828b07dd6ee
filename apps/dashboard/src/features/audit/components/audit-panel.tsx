import { useInfiniteQuery } from '@tanstack/react-query';
import { type AuditEntryAnswer, auditPageSchema } from '@tidewire/protocol/audit';
import { ScrollText } from 'lucide-react';
import { useState } from 'react';
import { type Column, DataTable } from '../../../components/data-table/data-table.js';
import { Badge, type Tone } from '../../../components/ui/badge.js';
import { Button } from '../../../components/ui/button.js';
import { Sheet } from '../../../components/ui/dialog.js';
import { EmptyState } from '../../../components/ui/empty-state.js';
import { ErrorState } from '../../../components/ui/error-state.js';
import { JsonView } from '../../../components/ui/json-view.js';
import { Ago } from '../../../components/ui/time.js';
import { formatDateTime } from '../../../lib/format.js';
import { useListStream } from '../../../lib/use-list-stream.js';
import { type AuditFilter, auditQuery, auditSearch } from '../queries.js';

/** The log from its newest entry on; what is new comes by itself. */
export function AuditPanel({ filter }: { filter: AuditFilter }) {
  const query = auditQuery(filter);
  const { data, error, refetch, hasNextPage, fetchNextPage, isFetchingNextPage } = useInfiniteQuery(query);
  const [shown, setShown] = useState<AuditEntryAnswer | null>(null);
  const [isOpen, setIsOpen] = useState(false);
  const isOnFirstPage = (data?.pages.length ?? 0) <= 1;
  useListStream({
    path: `/api/audit/stream${auditSearch(filter)}`,
    name: 'audit',
    schema: auditPageSchema,
    queryKey: query.queryKey,
    select: (page) => ({ pages: [page], pageParams: [null] }),
    isOn: isOnFirstPage && data !== undefined,
  });
  const columns = columnsOf((entry) => {
    setShown(entry);
    setIsOpen(true);
  });
  return (
    <>
      <DataTable
        label="Audit log"
        isStacked
        columns={columns}
        rows={data?.pages.flatMap((page) => page.data)}
        rowKey={({ id }) => String(id)}
        error={error && !data ? <ErrorState error={error} onRetry={() => void refetch()} /> : undefined}
        empty={
          <EmptyState icon={<ScrollText aria-hidden />} title="No entry">
            <p>Every change that an admin makes, here or at the command line, is written down.</p>
          </EmptyState>
        }
      />
      {hasNextPage ? (
        <div className="flex justify-center border-t border-line p-3">
          <Button isBusy={isFetchingNextPage} onClick={() => void fetchNextPage()}>
            Show older entries
          </Button>
        </div>
      ) : null}
      <Sheet isOpen={isOpen} onClose={() => setIsOpen(false)} title={shown ? `${shown.action} ${shown.subject}` : ''}>
        {shown ? <Entry entry={shown} /> : null}
      </Sheet>
    </>
  );
}

const toneOfVerb: Record<string, Tone> = {
  create: 'post',
  start: 'post',
  accept: 'post',
  setup: 'post',
  update: 'put',
  rename: 'rename',
  role: 'put',
};
const endings = new Set(['delete', 'deleted', 'drop', 'revoke', 'remove', 'end', 'truncate']);

function toneOf(action: string): Tone {
  const verb = action.split('.')[1] ?? '';
  return endings.has(verb) ? 'delete' : (toneOfVerb[verb] ?? 'neutral');
}

function columnsOf(onShow: (entry: AuditEntryAnswer) => void): Column<AuditEntryAnswer>[] {
  return [
    {
      id: 'at',
      header: 'When',
      className: 'w-px text-muted',
      stacked: 'max-md:order-2 max-md:ml-auto max-md:text-xs',
      cell: ({ at }) => <Ago at={at} />,
    },
    {
      id: 'name',
      header: 'Who',
      className: 'min-w-40',
      stacked: 'max-md:order-3 max-md:basis-full',
      cell: ({ name, address }) => (
        <div className="flex min-w-0 flex-col">
          <span className="font-medium break-all">{name}</span>
          <span className="text-xs text-muted">{address === '' ? 'at the server' : address}</span>
        </div>
      ),
    },
    {
      id: 'action',
      header: 'What',
      className: 'w-px',
      stacked: 'max-md:order-1',
      cell: ({ action }) => (
        <Badge tone={toneOf(action)} isMono>
          {action}
        </Badge>
      ),
    },
    {
      id: 'subject',
      header: 'Of what',
      className: 'min-w-48',
      stacked: 'max-md:order-4 max-md:basis-full',
      cell: (entry) => (
        <button
          type="button"
          onClick={() => onShow(entry)}
          className="text-left font-mono text-xs break-all text-accent-text hover:underline"
        >
          {entry.database === null || entry.database === entry.subject
            ? entry.subject
            : `${entry.database} / ${entry.subject}`}
        </button>
      ),
    },
  ];
}

function Entry({ entry }: { entry: AuditEntryAnswer }) {
  return (
    <div className="flex min-h-0 flex-1 flex-col gap-5 overflow-y-auto p-4">
      <dl className="grid grid-cols-[6rem_minmax(0,1fr)] gap-y-1.5 text-sm">
        {[
          ['When', formatDateTime(entry.at)],
          ['Who', `${entry.name} (${entry.actor})`],
          ['From', entry.address === '' ? 'the command line' : entry.address],
          ['Database', entry.database ?? 'none'],
          ['Number', String(entry.id)],
        ].map(([label, value]) => (
          <div key={label} className="contents">
            <dt className="text-muted">{label}</dt>
            <dd className="break-all">{value}</dd>
          </div>
        ))}
      </dl>
      {(['before', 'after'] as const).map((side) =>
        entry[side] === null ? null : (
          <section key={side} className="flex flex-col gap-2">
            <h3 className="text-sm font-semibold">{side === 'before' ? 'Before' : 'After'}</h3>
            <JsonView value={entry[side]} label={side === 'before' ? 'Before' : 'After'} />
          </section>
        ),
      )}
    </div>
  );
}
