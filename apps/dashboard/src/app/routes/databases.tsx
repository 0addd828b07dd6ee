import { useQuery } from '@tanstack/react-query';
import { createRoute } from '@tanstack/react-router';
import { Plus } from 'lucide-react';
import { useState } from 'react';
import { Button } from '../../components/ui/button.js';
import { Page } from '../../components/ui/page.js';
import { Panel } from '../../components/ui/panel.js';
import { CreateDatabaseDialog } from '../../features/databases/components/database-dialogs.js';
import { DatabasesPanel } from '../../features/databases/components/databases-panel.js';
import { sessionQuery } from '../../features/session/queries.js';
import { databaseRoute } from './database.js';

export const databasesRoute = createRoute({
  getParentRoute: () => databaseRoute,
  path: '/databases',
  component: DatabasesPage,
});

function DatabasesPage() {
  const { data } = useQuery(sessionQuery);
  const [isCreating, setIsCreating] = useState(false);
  const role = data?.admin.role;
  return (
    <Page
      title="Databases"
      description="Each has its own collections, keys, users, settings and event log."
      actions={
        role === 'viewer' ? null : (
          <Button variant="primary" icon={<Plus aria-hidden />} onClick={() => setIsCreating(true)}>
            New database
          </Button>
        )
      }
    >
      <Panel isFlush>
        <DatabasesPanel mayDelete={role === 'owner'} />
      </Panel>
      <CreateDatabaseDialog isOpen={isCreating} onClose={() => setIsCreating(false)} />
    </Page>
  );
}
