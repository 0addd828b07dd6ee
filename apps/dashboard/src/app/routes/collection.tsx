import { createRoute, Link, Outlet } from '@tanstack/react-router';
import { Radio } from 'lucide-react';
import { buttonClasses } from '../../components/ui/button.js';
import { Page } from '../../components/ui/page.js';
import { TabLinks } from '../../components/ui/tab-links.js';
import { databaseRoute } from './database.js';

/** What all pages of one collection have in common. */
export const collectionRoute = createRoute({
  getParentRoute: () => databaseRoute,
  path: '/collections/$collection',
  component: CollectionFrame,
});

function CollectionFrame() {
  const { database, collection } = collectionRoute.useParams();
  const params = { database, collection };
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
      <TabLinks
        label="Collection"
        tabs={[
          { label: 'Documents', link: { to: '/db/$database/collections/$collection', params } },
          { label: 'Schema', link: { to: '/db/$database/collections/$collection/schema', params } },
          { label: 'Indexes', link: { to: '/db/$database/collections/$collection/indexes', params } },
          { label: 'Settings', link: { to: '/db/$database/collections/$collection/settings', params } },
        ]}
      />
      <Outlet />
    </Page>
  );
}
