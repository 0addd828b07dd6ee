import { useQuery } from '@tanstack/react-query';
import { createRoute } from '@tanstack/react-router';
import { Plus } from 'lucide-react';
import { useState } from 'react';
import { Button } from '../../components/ui/button.js';
import { Page } from '../../components/ui/page.js';
import { Panel } from '../../components/ui/panel.js';
import { collectionsQuery } from '../../features/collections/queries.js';
import { CreateKeyDialog } from '../../features/keys/components/create-key-dialog.js';
import { KeysPanel } from '../../features/keys/components/keys-panel.js';
import { databaseRoute } from './database.js';

export const keysRoute = createRoute({ getParentRoute: () => databaseRoute, path: '/keys', component: KeysPage });

function KeysPage() {
  const { database } = keysRoute.useParams();
  const { data = [] } = useQuery(collectionsQuery(database));
  const [isCreating, setIsCreating] = useState(false);
  const collections = data.map(({ name }) => name);
  return (
    <Page
      title="Keys"
      description="What applications use to read, write and listen. Only the first characters of a key are kept readable."
      actions={
        <Button variant="primary" icon={<Plus aria-hidden />} onClick={() => setIsCreating(true)}>
          Create key
        </Button>
      }
    >
      <Panel isFlush>
        <KeysPanel database={database} collections={collections} onCreate={() => setIsCreating(true)} />
      </Panel>
      <CreateKeyDialog
        database={database}
        collections={collections}
        isOpen={isCreating}
        onClose={() => setIsCreating(false)}
      />
    </Page>
  );
}
