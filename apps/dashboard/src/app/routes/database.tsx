import { createRoute, notFound, Outlet, useNavigate } from '@tanstack/react-router';
import { databaseQuery, databasesQuery } from '../../features/databases/queries.js';
import { sessionQuery } from '../../features/session/queries.js';
import { ApiError, isSignedOut } from '../../lib/api-error.js';
import { LiveEventsProvider } from '../../lib/live-events/live-events.js';
import { requireSession } from '../require-session.js';
import { LiveCache } from '../shell/live-cache.js';
import { Shell } from '../shell/shell.js';
import { rootRoute } from './root.js';

export const databaseRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/db/$database',
  beforeLoad: ({ context, location }) => requireSession(context.queryClient, location.href),
  loader: async ({ context, params }) => {
    void context.queryClient.prefetchQuery(databasesQuery);
    try {
      return await context.queryClient.ensureQueryData(databaseQuery(params.database));
    } catch (error) {
      if (error instanceof ApiError && error.status === 404) throw notFound();
      throw error;
    }
  },
  component: DatabaseFrame,
});

function DatabaseFrame() {
  const { database } = databaseRoute.useParams();
  const { head } = databaseRoute.useLoaderData();
  const { queryClient } = databaseRoute.useRouteContext();
  const navigate = useNavigate();

  function leave() {
    queryClient.clear();
    void navigate({ to: '/sign-in', search: {} });
  }

  async function hasSessionEnded(): Promise<boolean> {
    try {
      await queryClient.fetchQuery({ ...sessionQuery, staleTime: 0, retry: false });
      return false;
    } catch (error) {
      // Any other failure is the line's, and the stream tries again.
      if (!isSignedOut(error)) return false;
      void queryClient.invalidateQueries({ queryKey: ['databases'] });
      return true;
    }
  }

  return (
    <LiveEventsProvider key={database} database={database} head={head} isSignedOut={hasSessionEnded}>
      <LiveCache database={database} />
      <Shell database={database} onSignedOut={leave}>
        <Outlet />
      </Shell>
    </LiveEventsProvider>
  );
}
