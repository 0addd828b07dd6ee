import { createRoute, useNavigate } from '@tanstack/react-router';
import { Plus } from 'lucide-react';
import { useState } from 'react';
import { Button } from '../../components/ui/button.js';
import { Page } from '../../components/ui/page.js';
import { Panel } from '../../components/ui/panel.js';
import { CollectionsTable } from '../../features/collections/components/collections-table.js';
import { CreateCollectionDialog } from '../../features/collections/components/create-collection-dialog.js';
import { databaseRoute } from './database.js';

export const collectionsRoute = createRoute({
  getParentRoute: () => databaseRoute,
  path: '/collections',
  component: CollectionsPage,
});

function CollectionsPage() {
  const { database } = collectionsRoute.useParams();
  const [isCreating, setIsCreating] = useState(false);
  const navigate = useNavigate();
  return (
    <Page
      title="Collections"
      description="Sets of JSON documents. Each change in one of them is an event."
      actions={
        <Button variant="primary" icon={<Plus aria-hidden />} onClick={() => setIsCreating(true)}>
          New collection
        </Button>
      }
    >
      <Panel isFlush>
        <CollectionsTable database={database} />
      </Panel>
      <CreateCollectionDialog
        database={database}
        isOpen={isCreating}
        onClose={() => setIsCreating(false)}
        onCreated={(collection) =>
          void navigate({ to: '/db/$database/collections/$collection/schema', params: { database, collection } })
        }
      />
    </Page>
  );
}
