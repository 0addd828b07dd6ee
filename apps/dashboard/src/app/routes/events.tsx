import { useQuery } from '@tanstack/react-query';
import { createRoute, useNavigate } from '@tanstack/react-router';
import { Page } from '../../components/ui/page.js';
import { collectionsQuery } from '../../features/collections/queries.js';
import { EventConsole } from '../../features/events/components/event-console.js';
import { parseEventFilter } from '../../features/events/event-filter.js';
import { ExplainEvent } from '../../features/explain/components/explain-event.js';
import { keysQuery } from '../../features/keys/queries.js';
import { databaseRoute } from './database.js';

export const eventsRoute = createRoute({
  getParentRoute: () => databaseRoute,
  path: '/events',
  validateSearch: parseEventFilter,
  component: EventsPage,
});

function EventsPage() {
  const { database } = eventsRoute.useParams();
  const filter = eventsRoute.useSearch();
  const { data: collections = [] } = useQuery(collectionsQuery(database));
  const { data: keys = [] } = useQuery(keysQuery(database));
  const navigate = useNavigate({ from: eventsRoute.fullPath });
  return (
    <Page
      title="Events"
      description="Every committed change and every published event, in the order of their numbers."
      isFull
    >
      <EventConsole
        database={database}
        collections={collections.map(({ name }) => name)}
        filter={filter}
        onFilterChange={(next) => void navigate({ search: next, replace: true })}
        explain={(eventId) => <ExplainEvent database={database} eventId={eventId} keys={keys} />}
      />
    </Page>
  );
}
