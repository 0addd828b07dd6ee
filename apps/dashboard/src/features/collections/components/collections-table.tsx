import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import type { CollectionAnswer } from '@tidewire/protocol/admin-api';
import { Layers } from 'lucide-react';
import { type Column, DataTable } from '../../../components/data-table/data-table.js';
import { CodeBlock } from '../../../components/ui/code-block.js';
import { EmptyState } from '../../../components/ui/empty-state.js';
import { ErrorState } from '../../../components/ui/error-state.js';
import { Ago } from '../../../components/ui/time.js';
import { formatCount } from '../../../lib/format.js';
import { firstSteps } from '../../../lib/snippets.js';
import { collectionsQuery } from '../queries.js';

function columnsFor(database: string, isCompact: boolean): Column<CollectionAnswer>[] {
  const columns: Column<CollectionAnswer>[] = [
    {
      id: 'name',
      header: 'Name',
      className: 'w-full max-w-0 min-w-32',
      cell: ({ name }) => (
        <Link
          to="/db/$database/collections/$collection"
          params={{ database, collection: name }}
          title={name}
          className="block truncate rounded-xs font-medium text-accent-text underline-offset-3 hover:underline"
        >
          {name}
        </Link>
      ),
    },
    {
      id: 'documents',
      header: 'Documents',
      className: 'w-px text-right whitespace-nowrap',
      cell: ({ documents }) => formatCount(documents),
    },
    {
      id: 'created',
      header: 'Created',
      className: 'w-px text-right text-muted',
      cell: ({ createdAt }) => <Ago at={createdAt} />,
    },
  ];
  return isCompact ? columns.slice(0, 2) : columns;
}

/** The collections with their sizes; `isCompact` leaves out when they were created. */
export function CollectionsTable({ database, isCompact = false }: { database: string; isCompact?: boolean }) {
  const { data, error, refetch } = useQuery(collectionsQuery(database));
  const write = firstSteps({ origin: window.location.origin }).find(({ id }) => id === 'write');
  return (
    <DataTable
      label="Collections"
      columns={columnsFor(database, isCompact)}
      rows={data}
      rowKey={({ name }) => name}
      error={error && !data ? <ErrorState error={error} onRetry={() => void refetch()} /> : undefined}
      empty={
        <EmptyState icon={<Layers aria-hidden />} title="No collection yet">
          <p>
            A collection appears with its first document.{' '}
            {isCompact ? 'The quick start has the command.' : 'Write one with a key that may:'}
          </p>
          {isCompact ? null : <CodeBlock code={write?.code ?? ''} what="write command" />}
        </EmptyState>
      }
    />
  );
}
