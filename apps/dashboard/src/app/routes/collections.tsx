import { createRoute } from '@tanstack/react-router';
import { Page } from '../../components/ui/page.js';
import { Panel } from '../../components/ui/panel.js';
import { CollectionsTable } from '../../features/collections/components/collections-table.js';
import { databaseRoute } from './database.js';

export const collectionsRoute = createRoute({
  getParentRoute: () => databaseRoute,
  path: '/collections',
  component: CollectionsPage,
});

function CollectionsPage() {
  const { database } = collectionsRoute.useParams();
  return (
    <Page title="Collections" description="Sets of JSON documents. Each change in one of them is an event.">
      <Panel isFlush>
        <CollectionsTable database={database} />
      </Panel>
    </Page>
  );
}
