import { useQuery } from '@tanstack/react-query';
import type { IndexAnswer } from '@tidewire/protocol/collection-schema';
import { indexLimits } from '@tidewire/protocol/collection-schema';
import { ListTree, Plus } from 'lucide-react';
import { useState } from 'react';
import { DataTable } from '../../../components/data-table/data-table.js';
import { Button } from '../../../components/ui/button.js';
import { EmptyState } from '../../../components/ui/empty-state.js';
import { ErrorState } from '../../../components/ui/error-state.js';
import { Panel } from '../../../components/ui/panel.js';
import { indexesQuery } from '../queries.js';
import { CreateIndexDialog } from './create-index-dialog.js';
import { DoublesSheet } from './doubles-sheet.js';
import { DropIndexDialog } from './drop-index-dialog.js';
import { indexColumns } from './index-columns.js';

type Opened = { action: 'drop' | 'doubles'; target: IndexAnswer; isOpen: boolean };

export function IndexesPanel({ database, collection }: { database: string; collection: string }) {
  const { data, error, refetch } = useQuery(indexesQuery(database, collection));
  const [isCreating, setIsCreating] = useState(false);
  const [opened, setOpened] = useState<Opened | null>(null);
  const close = () => setOpened((before) => before && { ...before, isOpen: false });
  const columns = indexColumns({
    onDrop: (target) => setOpened({ action: 'drop', target, isOpen: true }),
    onShowDoubles: (target) => setOpened({ action: 'doubles', target, isOpen: true }),
  });
  const isFull = (data?.length ?? 0) >= indexLimits.collection;
  const create = (
    <Button
      variant="primary"
      size={data?.length === 0 ? 'md' : 'sm'}
      icon={<Plus aria-hidden />}
      disabled={isFull}
      onClick={() => setIsCreating(true)}
    >
      Create index
    </Button>
  );
  return (
    <>
      <Panel
        title="Indexes"
        description={
          isFull
            ? `${indexLimits.collection} is the most that a collection can have.`
            : 'What queries on some fields can rely on. They are built while others go on writing.'
        }
        actions={data && data.length > 0 ? create : null}
        isFlush
      >
        <DataTable
          label="Indexes"
          isTall
          isStacked
          columns={columns}
          rows={data}
          rowKey={({ name }) => name}
          skeletonRows={3}
          error={error && !data ? <ErrorState error={error} onRetry={() => void refetch()} /> : undefined}
          empty={
            <EmptyState icon={<ListTree aria-hidden />} title="No index yet" action={create}>
              <p>
                Queries look through all documents of the collection. An index on the fields that they ask for makes
                them fast, and a unique one keeps two documents from having the same value.
              </p>
            </EmptyState>
          }
        />
      </Panel>
      <CreateIndexDialog
        database={database}
        collection={collection}
        isOpen={isCreating}
        onClose={() => setIsCreating(false)}
      />
      {opened?.action === 'drop' ? (
        <DropIndexDialog
          key={opened.target.name}
          database={database}
          collection={collection}
          dropped={opened.target}
          isOpen={opened.isOpen}
          onClose={close}
        />
      ) : null}
      {opened?.action === 'doubles' ? (
        <DoublesSheet index={opened.target} isOpen={opened.isOpen} onClose={close} />
      ) : null}
    </>
  );
}
