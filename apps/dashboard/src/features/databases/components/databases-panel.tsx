import { useQuery } from '@tanstack/react-query';
import { type DatabaseAnswer, databaseSchema, listOf } from '@tidewire/protocol/admin-api';
import { Database } from 'lucide-react';
import { useState } from 'react';
import { DataTable } from '../../../components/data-table/data-table.js';
import { EmptyState } from '../../../components/ui/empty-state.js';
import { ErrorState } from '../../../components/ui/error-state.js';
import { useListStream } from '../../../lib/use-list-stream.js';
import { databasesQuery } from '../queries.js';
import { databaseColumns } from './database-columns.js';
import { DeleteDatabaseDialog, RenameDatabaseDialog } from './database-dialogs.js';

type Opened = { action: 'rename' | 'delete'; target: DatabaseAnswer; isOpen: boolean };

/** The databases as they are now, also those that are being deleted. */
export function DatabasesPanel({ mayDelete }: { mayDelete: boolean }) {
  const { data, error, refetch } = useQuery(databasesQuery);
  const [opened, setOpened] = useState<Opened | null>(null);
  useListStream({
    path: '/api/databases/stream',
    name: 'databases',
    schema: listOf(databaseSchema),
    queryKey: databasesQuery.queryKey,
    select: (answer) => answer.data,
  });
  const close = () => setOpened((before) => before && { ...before, isOpen: false });
  const columns = databaseColumns({
    mayDelete,
    onRename: (target) => setOpened({ action: 'rename', target, isOpen: true }),
    onDelete: (target) => setOpened({ action: 'delete', target, isOpen: true }),
  });
  return (
    <>
      <DataTable
        label="Databases"
        isStacked
        columns={columns}
        rows={data}
        rowKey={({ name }) => name}
        error={error && !data ? <ErrorState error={error} onRetry={() => void refetch()} /> : undefined}
        empty={<EmptyState icon={<Database aria-hidden />} title="No database" />}
      />
      {opened?.action === 'rename' ? (
        <RenameDatabaseDialog
          key={opened.target.name}
          database={opened.target}
          isOpen={opened.isOpen}
          onClose={close}
        />
      ) : null}
      {opened?.action === 'delete' ? (
        <DeleteDatabaseDialog
          key={opened.target.name}
          database={opened.target}
          isOpen={opened.isOpen}
          onClose={close}
        />
      ) : null}
    </>
  );
}
