import { createRoute } from '@tanstack/react-router';
import { MissingCollection } from '../../features/collections/components/missing-collection.js';
import { useIsMissing } from '../../features/collections/use-is-missing.js';
import { SchemaPanel } from '../../features/schema/components/schema-panel.js';
import { collectionRoute } from './collection.js';

export const collectionSchemaRoute = createRoute({
  getParentRoute: () => collectionRoute,
  path: '/schema',
  component: SchemaPage,
});

function SchemaPage() {
  const { database, collection } = collectionSchemaRoute.useParams();
  if (useIsMissing(database, collection)) return <MissingCollection database={database} collection={collection} />;
  return <SchemaPanel key={collection} database={database} collection={collection} />;
}
