import { createRoute, Link, useNavigate } from '@tanstack/react-router';
import { AcceptInviteForm } from '../../features/session/components/accept-invite-form.js';
import { EntryFrame } from '../../features/session/components/entry-frame.js';
import { rootRoute } from './root.js';

export const inviteRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/invite',
  validateSearch: (search: Record<string, unknown>): { token?: string } =>
    typeof search.token === 'string' ? { token: search.token } : {},
  component: InvitePage,
});

function InvitePage() {
  const { token } = inviteRoute.useSearch();
  const navigate = useNavigate();
  if (token === undefined) {
    return (
      <EntryFrame title="No invitation" intro="The link is not whole: it ends with ?token= and a text behind it.">
        <Link to="/sign-in" className="font-medium text-accent-text underline underline-offset-3">
          Go to sign in
        </Link>
      </EntryFrame>
    );
  }
  return (
    <EntryFrame title="You are invited" intro={`To the Tidewire server at ${window.location.host}. Choose a password.`}>
      <AcceptInviteForm token={token} onAccepted={() => void navigate({ to: '/', replace: true })} />
    </EntryFrame>
  );
}
