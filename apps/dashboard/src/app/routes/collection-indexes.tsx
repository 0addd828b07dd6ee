import { createRoute } from '@tanstack/react-router';
import { MissingCollection } from '../../features/collections/components/missing-collection.js';
import { useIsMissing } from '../../features/collections/use-is-missing.js';
import { IndexesPanel } from '../../features/indexes/components/indexes-panel.js';
import { collectionRoute } from './collection.js';

export const collectionIndexesRoute = createRoute({
  getParentRoute: () => collectionRoute,
  path: '/indexes',
  component: IndexesPage,
});

function IndexesPage() {
  const { database, collection } = collectionIndexesRoute.useParams();
  if (useIsMissing(database, collection)) return <MissingCollection database={database} collection={collection} />;
  return <IndexesPanel key={collection} database={database} collection={collection} />;
}
