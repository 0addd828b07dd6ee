import { useQuery } from '@tanstack/react-query';
import { createRoute, Link, useNavigate } from '@tanstack/react-router';
import { ErrorState } from '../../components/ui/error-state.js';
import { LoadingNote, Skeleton } from '../../components/ui/skeleton.js';
import { EntryFrame } from '../../features/session/components/entry-frame.js';
import { SetupForm } from '../../features/session/components/setup-form.js';
import { setupQuery } from '../../features/session/queries.js';
import { rootRoute } from './root.js';

export const setupRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/setup',
  // A token of digits alone is read as a number by the router; it is a text all the same.
  validateSearch: (search: Record<string, unknown>): { token?: string } =>
    typeof search.token === 'string' || typeof search.token === 'number' ? { token: String(search.token) } : {},
  component: SetupPage,
});

function SetupPage() {
  const { token } = setupRoute.useSearch();
  const navigate = useNavigate();
  const { data, error, refetch } = useQuery({ ...setupQuery, staleTime: Number.POSITIVE_INFINITY });
  if (error) {
    return (
      <EntryFrame title="Set up Tidewire" intro="The first step is to ask the server how it is.">
        <ErrorState error={error} onRetry={() => void refetch()} />
      </EntryFrame>
    );
  }
  if (data?.needed === false) {
    return (
      <EntryFrame title="Already set up" intro="This server has its first admin. A setup link works once.">
        <Link to="/sign-in" className="font-medium text-accent-text underline underline-offset-3">
          Go to sign in
        </Link>
      </EntryFrame>
    );
  }
  return (
    <EntryFrame title="Set up Tidewire" intro="Create the first admin. This account may do everything on this server.">
      {data ? (
        <SetupForm token={token} onCreated={() => void navigate({ to: '/', replace: true })} />
      ) : (
        <div className="flex flex-col gap-4">
          <LoadingNote what="the setup" />
          <Skeleton className="h-9" />
          <Skeleton className="h-9" />
        </div>
      )}
    </EntryFrame>
  );
}
