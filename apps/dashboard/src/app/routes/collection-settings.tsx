import { createRoute, useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import { CollectionSettings } from '../../features/collections/components/collection-settings.js';
import type { Renamed } from '../../features/collections/components/rename-panel.js';
import { useIsMissing } from '../../features/collections/use-is-missing.js';
import { collectionRoute } from './collection.js';

export const collectionSettingsRoute = createRoute({
  getParentRoute: () => collectionRoute,
  path: '/settings',
  component: CollectionSettingsPage,
});

function CollectionSettingsPage() {
  const { database, collection } = collectionSettingsRoute.useParams();
  const navigate = useNavigate();
  const isMissing = useIsMissing(database, collection);
  // Here, because the page of the new name tells what was renamed on that of the old one.
  const [renamed, setRenamed] = useState<Renamed | null>(null);
  return (
    <CollectionSettings
      key={collection}
      database={database}
      collection={collection}
      isMissing={isMissing}
      renamed={renamed}
      onRenamed={(answer) => {
        setRenamed(answer);
        void navigate({
          to: '/db/$database/collections/$collection/settings',
          params: { database, collection: answer.name },
          replace: true,
        });
      }}
      onDropped={() => void navigate({ to: '/db/$database/collections', params: { database } })}
    />
  );
}
