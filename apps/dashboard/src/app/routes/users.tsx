import { useSuspenseQuery } from '@tanstack/react-query';
import { createRoute } from '@tanstack/react-router';
import { UserPlus } from 'lucide-react';
import { useState } from 'react';
import { Button } from '../../components/ui/button.js';
import { Page } from '../../components/ui/page.js';
import { Panel } from '../../components/ui/panel.js';
import { AuthForm, SignUpSetting } from '../../features/databases/components/auth-panel.js';
import { databaseQuery } from '../../features/databases/queries.js';
import { CreateUserDialog } from '../../features/users/components/create-user-dialog.js';
import { SecretPanel } from '../../features/users/components/secret-panel.js';
import { UsersPanel } from '../../features/users/components/users-panel.js';
import { databaseRoute } from './database.js';

export const usersRoute = createRoute({ getParentRoute: () => databaseRoute, path: '/users', component: UsersPage });

function UsersPage() {
  const { database } = usersRoute.useParams();
  const { data } = useSuspenseQuery(databaseQuery(database));
  const [isCreating, setIsCreating] = useState(false);
  return (
    <Page
      title="Users"
      description="The people of your applications. What they may do stands in their roles."
      actions={
        <Button variant="primary" icon={<UserPlus aria-hidden />} onClick={() => setIsCreating(true)}>
          Create user
        </Button>
      }
    >
      <div className="flex flex-col gap-5">
        <Panel isFlush>
          <UsersPanel database={database} onCreate={() => setIsCreating(true)} />
        </Panel>
        <div className="grid items-start gap-5 lg:grid-cols-[minmax(0,3fr)_minmax(0,2fr)]">
          <Panel title="Tokens of another service" description="From Auth0, Keycloak, Firebase or your own server.">
            {/* Begun anew when the settings were changed elsewhere. */}
            <AuthForm key={JSON.stringify(data.settings.auth)} database={data} />
          </Panel>
          <div className="flex min-w-0 flex-col gap-5">
            <Panel title="Sign-up">
              <SignUpSetting database={data} />
            </Panel>
            <Panel title="Shared secret">
              <SecretPanel database={database} />
            </Panel>
          </div>
        </div>
      </div>
      <CreateUserDialog database={database} isOpen={isCreating} onClose={() => setIsCreating(false)} />
    </Page>
  );
}
