import { createRoute } from '@tanstack/react-router';
import { Plus } from 'lucide-react';
import { useState } from 'react';
import { Button } from '../../components/ui/button.js';
import { Page } from '../../components/ui/page.js';
import { Panel } from '../../components/ui/panel.js';
import { RoleDialog } from '../../features/roles/components/role-dialog.js';
import { RolesPanel } from '../../features/roles/components/roles-panel.js';
import { databaseRoute } from './database.js';

export const rolesRoute = createRoute({ getParentRoute: () => databaseRoute, path: '/roles', component: RolesPage });

function RolesPage() {
  const { database } = rolesRoute.useParams();
  const [isCreating, setIsCreating] = useState(false);
  return (
    <Page
      title="Roles"
      description="What users of applications may do, and which documents and fields are theirs."
      actions={
        <Button variant="primary" icon={<Plus aria-hidden />} onClick={() => setIsCreating(true)}>
          Create role
        </Button>
      }
    >
      <Panel isFlush>
        <RolesPanel database={database} onCreate={() => setIsCreating(true)} />
      </Panel>
      <RoleDialog database={database} edited={null} isOpen={isCreating} onClose={() => setIsCreating(false)} />
    </Page>
  );
}
