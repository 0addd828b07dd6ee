import { useQuery } from '@tanstack/react-query';
import { FileJson, RotateCw } from 'lucide-react';
import { useState } from 'react';
import { type Column, DataTable } from '../../../components/data-table/data-table.js';
import { Pager } from '../../../components/data-table/pager.js';
import { Button } from '../../../components/ui/button.js';
import { classes } from '../../../components/ui/classes.js';
import { CodeBlock } from '../../../components/ui/code-block.js';
import { EmptyState } from '../../../components/ui/empty-state.js';
import { ErrorState } from '../../../components/ui/error-state.js';
import { Ago } from '../../../components/ui/time.js';
import { formatAmount } from '../../../lib/format.js';
import { useLiveEvents } from '../../../lib/live-events/live-events.js';
import type { Page } from '../../../lib/page-search.js';
import { firstSteps } from '../../../lib/snippets.js';
import { countChanges, followLoading, noChanges } from '../changes-since.js';
import { type CellText, deriveFields, metaText, type StoredDocument, summarizeValue } from '../document-columns.js';
import { documentsQuery } from '../queries.js';
import { DocumentSheet } from './document-sheet.js';

const fieldLimit = 6;

type DocumentsTableProps = { database: string; collection: string; page: Page; onPageChange: (page: Page) => void };

export function DocumentsTable({ database, collection, page, onPageChange }: DocumentsTableProps) {
  const query = useQuery(documentsQuery(database, collection, page));
  const [opened, setOpened] = useState<StoredDocument | null>(null);
  const [isSheetOpen, setIsSheetOpen] = useState(false);
  const documents = query.data?.data;
  const total = query.data?.totals.total ?? 0;
  const { fields, hidden } = deriveFields(documents ?? [], fieldLimit);
  const open = (document: StoredDocument) => {
    setOpened(document);
    setIsSheetOpen(true);
  };

  return (
    <>
      <ChangesHint
        collection={collection}
        loadedAt={query.dataUpdatedAt}
        isFetching={query.isFetching}
        onReload={() => void query.refetch()}
      />
      <div className={classes('transition-opacity', query.isPlaceholderData && 'opacity-60')}>
        <DataTable
          label={`Documents of ${collection}`}
          columns={columnsFor(fields, open)}
          rows={documents}
          rowKey={(document) => metaText(document, '_id')}
          error={
            query.error && !documents ? (
              <ErrorState error={query.error} onRetry={() => void query.refetch()} />
            ) : undefined
          }
          empty={
            total > 0 ? (
              <BeyondTheEnd onBack={() => onPageChange({ ...page, skip: 0 })} />
            ) : (
              <NoDocuments collection={collection} />
            )
          }
        />
        {total > 0 ? (
          <Pager
            page={page}
            total={total}
            what="documents"
            note={hidden > 0 ? `${formatAmount(hidden, 'more field')} in the documents themselves` : undefined}
            onChange={onPageChange}
          />
        ) : null}
      </div>
      <DocumentSheet document={opened} isOpen={isSheetOpen} onClose={() => setIsSheetOpen(false)} />
    </>
  );
}

function columnsFor(fields: readonly string[], onOpen: (document: StoredDocument) => void): Column<StoredDocument>[] {
  return [
    {
      id: '_id',
      header: '_id',
      className: 'w-px',
      cell: (document) => (
        <button
          type="button"
          aria-label={`Open document ${metaText(document, '_id')}`}
          onClick={() => onOpen(document)}
          className="rounded-xs font-mono text-xs whitespace-nowrap text-accent-text underline-offset-3 hover:underline"
        >
          {metaText(document, '_id')}
        </button>
      ),
    },
    ...fields.map((field) => ({
      id: `field:${field}`,
      header: (
        <span className="inline-block max-w-48 truncate align-middle" title={field}>
          {field}
        </span>
      ),
      className: 'max-w-52',
      cell: (document: StoredDocument) => <Cell {...summarizeValue(document[field])} />,
    })),
    {
      id: '_changed',
      header: 'Changed',
      className: 'w-px text-right text-muted',
      cell: (document) => <Ago at={metaText(document, '_changed')} />,
    },
  ];
}

const cellColours: Record<CellText['kind'], string> = {
  absent: '',
  empty: 'text-faint italic',
  text: '',
  number: '',
  word: 'font-mono text-xs text-publish',
  nested: 'font-mono text-xs text-faint',
};

function Cell({ kind, text }: CellText) {
  if (kind === 'absent') {
    return (
      <span className="text-faint">
        <span aria-hidden>–</span>
        <span className="sr-only">not set</span>
      </span>
    );
  }
  return (
    <span className={classes('block truncate', cellColours[kind])} title={text}>
      {text}
    </span>
  );
}

type ChangesHintProps = { collection: string; loadedAt: number; isFetching: boolean; onReload: () => void };

/** Counts the changes that came since the page of documents was loaded. */
function ChangesHint({ collection, loadedAt, isFetching, onReload }: ChangesHintProps) {
  const [since, setSince] = useState(() => noChanges(loadedAt));
  const current = followLoading(since, loadedAt);
  if (current !== since) setSince(current);
  useLiveEvents((events) => {
    const news = events.filter((event) => event.collection === collection).length;
    if (news > 0) setSince((before) => countChanges(before, news, isFetching));
  });
  const { changes } = current;
  return (
    <>
      {/* Said once, not with every change: a busy collection would never let the reader finish. */}
      <span role="status" className="sr-only">
        {changes > 0 ? 'The documents have changed since they were loaded.' : ''}
      </span>
      {changes > 0 ? (
        <div className="flex items-center justify-between gap-3 border-b border-line bg-accent-soft px-4 py-1.5 text-sm">
          <span className="text-accent-text">{formatAmount(changes, 'change')} since this was loaded</span>
          <Button size="sm" isBusy={isFetching} icon={<RotateCw aria-hidden />} onClick={onReload}>
            Reload
          </Button>
        </div>
      ) : null}
    </>
  );
}

function NoDocuments({ collection }: { collection: string }) {
  const write = firstSteps({ origin: window.location.origin, collection }).find(({ id }) => id === 'write');
  return (
    <EmptyState icon={<FileJson aria-hidden />} title={`No document in ${collection}`}>
      <p>Write one with a key that may, and it shows up here:</p>
      <CodeBlock code={write?.code ?? ''} what="write command" />
    </EmptyState>
  );
}

function BeyondTheEnd({ onBack }: { onBack: () => void }) {
  return (
    <EmptyState
      icon={<FileJson aria-hidden />}
      title="This page is past the last document"
      action={<Button onClick={onBack}>First page</Button>}
    />
  );
}
