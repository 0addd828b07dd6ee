import { createRoute, Link, useNavigate } from '@tanstack/react-router';
import { Radio } from 'lucide-react';
import { buttonClasses } from '../../components/ui/button.js';
import { Page } from '../../components/ui/page.js';
import { Panel } from '../../components/ui/panel.js';
import { DocumentsTable } from '../../features/collections/components/documents-table.js';
import { parsePageSearch, readPage } from '../../lib/page-search.js';
import { databaseRoute } from './database.js';

export const collectionRoute = createRoute({
  getParentRoute: () => databaseRoute,
  path: '/collections/$collection',
  validateSearch: parsePageSearch,
  component: CollectionPage,
});

function CollectionPage() {
  const { database, collection } = collectionRoute.useParams();
  const page = readPage(collectionRoute.useSearch());
  const navigate = useNavigate({ from: collectionRoute.fullPath });
  return (
    <Page
      title={collection}
      heading={
        <span className="flex min-w-0 flex-wrap items-baseline gap-x-2">
          <Link
            to="/db/$database/collections"
            params={{ database }}
            className="rounded-xs text-base font-normal tracking-normal text-muted underline-offset-3 hover:text-text hover:underline"
          >
            Collections
          </Link>
          <span aria-hidden className="text-base text-faint">
            /
          </span>
          {collection}
        </span>
      }
      actions={
        <Link to="/db/$database/events" params={{ database }} search={{ collection }} className={buttonClasses()}>
          <Radio aria-hidden />
          Events of {collection.length > 24 ? 'this collection' : collection}
        </Link>
      }
    >
      <Panel isFlush>
        <DocumentsTable
          key={collection}
          database={database}
          collection={collection}
          page={page}
          onPageChange={(next) => void navigate({ search: parsePageSearch(next) })}
        />
      </Panel>
    </Page>
  );
}
