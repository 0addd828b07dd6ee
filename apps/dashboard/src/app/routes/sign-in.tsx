import { createRoute, redirect, useRouter } from '@tanstack/react-router';
import { EntryFrame } from '../../features/session/components/entry-frame.js';
import { SignInForm } from '../../features/session/components/sign-in-form.js';
import { setupQuery } from '../../features/session/queries.js';
import { safeReturnPath } from '../../lib/return-path.js';
import { rootRoute } from './root.js';

export const signInRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/sign-in',
  validateSearch: (search: Record<string, unknown>): { return?: string; expired?: boolean } => ({
    ...(typeof search.return === 'string' ? { return: search.return } : {}),
    ...(search.expired === true ? { expired: true } : {}),
  }),
  beforeLoad: async ({ context }) => {
    const { needed } = await context.queryClient.ensureQueryData(setupQuery);
    if (needed) throw redirect({ to: '/setup', search: {} });
  },
  component: SignInPage,
});

function SignInPage() {
  const search = signInRoute.useSearch();
  const router = useRouter();
  return (
    <EntryFrame
      title="Sign in"
      intro={
        search.expired
          ? 'Your session has ended. Sign in to go on where you were.'
          : `To the Tidewire server at ${window.location.host}.`
      }
    >
      <SignInForm onSignedIn={() => router.history.replace(safeReturnPath(search.return))} />
    </EntryFrame>
  );
}
