import { useSuspenseQuery } from '@tanstack/react-query';
import { createRoute } from '@tanstack/react-router';
import { Page } from '../../components/ui/page.js';
import { SettingsPanels } from '../../features/databases/components/settings-panels.js';
import { databaseQuery } from '../../features/databases/queries.js';
import { databaseRoute } from './database.js';

export const settingsRoute = createRoute({
  getParentRoute: () => databaseRoute,
  path: '/settings',
  component: SettingsPage,
});

function SettingsPage() {
  const { database } = settingsRoute.useParams();
  const { data } = useSuspenseQuery(databaseQuery(database));
  return (
    <Page title="Settings" description={`What holds for the whole database ${database}.`}>
      <SettingsPanels database={data} />
    </Page>
  );
}
