import { Layers, Plus } from 'lucide-react';
import { Button } from '../../../components/ui/button.js';
import { EmptyState } from '../../../components/ui/empty-state.js';
import { ErrorNote } from '../../../components/ui/error-state.js';
import { Panel } from '../../../components/ui/panel.js';
import { useCreateCollection } from '../create-collection.js';

/** In place of what belongs to a collection that is not there: never was, was dropped, or has another name now. */
export function MissingCollection({ database, collection }: { database: string; collection: string }) {
  const create = useCreateCollection(database);
  return (
    <Panel isFlush>
      <EmptyState
        icon={<Layers aria-hidden />}
        title={`There is no collection ${collection}`}
        action={
          <Button
            variant="primary"
            icon={<Plus aria-hidden />}
            isBusy={create.isPending}
            onClick={() => create.mutate(collection)}
          >
            Create it
          </Button>
        }
      >
        <p>It was dropped, has another name now, or nothing was ever written to it.</p>
        {create.error ? <ErrorNote error={create.error} className="text-left" /> : null}
      </EmptyState>
    </Panel>
  );
}
