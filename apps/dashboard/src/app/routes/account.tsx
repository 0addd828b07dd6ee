import { useQuery } from '@tanstack/react-query';
import { createRoute } from '@tanstack/react-router';
import { ErrorState } from '../../components/ui/error-state.js';
import { Page } from '../../components/ui/page.js';
import { OwnSessionsPanel } from '../../features/account/components/own-sessions-panel.js';
import { PasswordPanel } from '../../features/account/components/password-panel.js';
import { TotpPanel } from '../../features/account/components/totp-panel.js';
import { accountQuery } from '../../features/account/queries.js';
import { databaseRoute } from './database.js';

export const accountRoute = createRoute({
  getParentRoute: () => databaseRoute,
  path: '/account',
  component: AccountPage,
});

function AccountPage() {
  const { data, error, refetch } = useQuery(accountQuery);
  return (
    <Page title="Account" description={data ? `${data.email}, ${data.role} of this server.` : undefined}>
      {error && !data ? (
        <ErrorState error={error} onRetry={() => void refetch()} />
      ) : (
        <>
          <div className="grid items-start gap-5 lg:grid-cols-2">
            <PasswordPanel />
            {data ? <TotpPanel isOn={data.hasTotp} /> : null}
          </div>
          <OwnSessionsPanel />
        </>
      )}
    </Page>
  );
}
