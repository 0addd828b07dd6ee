import { createRoute, useNavigate } from '@tanstack/react-router';
import { Panel } from '../../components/ui/panel.js';
import { DocumentsTable } from '../../features/collections/components/documents-table.js';
import { parsePageSearch, readPage } from '../../lib/page-search.js';
import { collectionRoute } from './collection.js';

export const collectionDocumentsRoute = createRoute({
  getParentRoute: () => collectionRoute,
  path: '/',
  validateSearch: parsePageSearch,
  component: DocumentsPage,
});

function DocumentsPage() {
  const { database, collection } = collectionDocumentsRoute.useParams();
  const page = readPage(collectionDocumentsRoute.useSearch());
  const navigate = useNavigate({ from: collectionDocumentsRoute.fullPath });
  return (
    <Panel isFlush>
      <DocumentsTable
        key={collection}
        database={database}
        collection={collection}
        page={page}
        onPageChange={(next) => void navigate({ search: parsePageSearch(next) })}
      />
    </Panel>
  );
}
