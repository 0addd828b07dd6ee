import { createRouter } from '@tanstack/react-router';
import { createQueryClient } from '../lib/query-client.js';
import { accountRoute } from './routes/account.js';
import { auditRoute } from './routes/audit.js';
import { collectionRoute } from './routes/collection.js';
import { collectionDocumentsRoute } from './routes/collection-documents.js';
import { collectionIndexesRoute } from './routes/collection-indexes.js';
import { collectionSchemaRoute } from './routes/collection-schema.js';
import { collectionSettingsRoute } from './routes/collection-settings.js';
import { collectionsRoute } from './routes/collections.js';
import { databaseRoute } from './routes/database.js';
import { databasesRoute } from './routes/databases.js';
import { ErrorPage } from './routes/error-page.js';
import { eventsRoute } from './routes/events.js';
import { indexRoute } from './routes/index.js';
import { inviteRoute } from './routes/invite.js';
import { keysRoute } from './routes/keys.js';
import { NotFoundPage } from './routes/not-found-page.js';
import { overviewRoute } from './routes/overview.js';
import { peopleRoute } from './routes/people.js';
import { rolesRoute } from './routes/roles.js';
import { rootRoute } from './routes/root.js';
import { settingsRoute } from './routes/settings.js';
import { setupRoute } from './routes/setup.js';
import { signInRoute } from './routes/sign-in.js';
import { usersRoute } from './routes/users.js';

export const queryClient = createQueryClient(() => {
  // The page stays in the URL, so that signing in leads back to it.
  if (router.state.location.pathname === '/sign-in') return;
  queryClient.clear();
  void router.navigate({
    to: '/sign-in',
    search: { return: router.state.location.href, expired: true },
    replace: true,
  });
});

export const router = createRouter({
  routeTree: rootRoute.addChildren([
    indexRoute,
    setupRoute,
    signInRoute,
    inviteRoute,
    databaseRoute.addChildren([
      overviewRoute,
      collectionsRoute,
      collectionRoute.addChildren([
        collectionDocumentsRoute,
        collectionSchemaRoute,
        collectionIndexesRoute,
        collectionSettingsRoute,
      ]),
      eventsRoute,
      keysRoute,
      rolesRoute,
      usersRoute,
      settingsRoute,
      databasesRoute,
      peopleRoute,
      auditRoute,
      accountRoute,
    ]),
  ]),
  context: { queryClient },
  defaultPreload: false,
  defaultErrorComponent: ErrorPage,
  defaultNotFoundComponent: NotFoundPage,
});

declare module '@tanstack/react-router' {
  interface Register {
    router: typeof router;
  }
}
