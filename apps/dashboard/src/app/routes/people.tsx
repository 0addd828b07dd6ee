import { useQuery } from '@tanstack/react-query';
import { createRoute } from '@tanstack/react-router';
import { UserPlus } from 'lucide-react';
import { useState } from 'react';
import { Button } from '../../components/ui/button.js';
import { Page } from '../../components/ui/page.js';
import { Panel } from '../../components/ui/panel.js';
import { InviteDialog } from '../../features/people/components/invite-dialog.js';
import { InvitesPanel } from '../../features/people/components/invites-panel.js';
import { PeoplePanel } from '../../features/people/components/people-panel.js';
import { sessionQuery } from '../../features/session/queries.js';
import { databaseRoute } from './database.js';

export const peopleRoute = createRoute({
  getParentRoute: () => databaseRoute,
  path: '/people',
  component: PeoplePage,
});

function PeoplePage() {
  const { data } = useQuery(sessionQuery);
  const [isInviting, setIsInviting] = useState(false);
  return (
    <Page
      title="People"
      description="Who may use this dashboard: owners everything, editors all but people and the end of databases, viewers nothing but look."
      actions={
        data?.admin.role === 'owner' ? (
          <Button variant="primary" icon={<UserPlus aria-hidden />} onClick={() => setIsInviting(true)}>
            Invite
          </Button>
        ) : null
      }
    >
      <Panel title="Admins" isFlush>
        <PeoplePanel self={data?.admin.id} />
      </Panel>
      <Panel title="Invitations" isFlush>
        <InvitesPanel />
      </Panel>
      <InviteDialog isOpen={isInviting} onClose={() => setIsInviting(false)} />
    </Page>
  );
}
