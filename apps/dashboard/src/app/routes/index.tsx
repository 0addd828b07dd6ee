import { createRoute, redirect } from '@tanstack/react-router';
import { databasesQuery } from '../../features/databases/queries.js';
import { requireSession } from '../require-session.js';
import { NoDatabasePage } from './no-database-page.js';
import { rootRoute } from './root.js';

export const indexRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/',
  beforeLoad: ({ context, location }) => requireSession(context.queryClient, location.href),
  loader: async ({ context }) => {
    const [first] = await context.queryClient.ensureQueryData(databasesQuery);
    if (first) throw redirect({ to: '/db/$database', params: { database: first.name }, replace: true });
  },
  component: NoDatabasePage,
});
