import { useQuery, useSuspenseQuery } from '@tanstack/react-query';
import { createRoute } from '@tanstack/react-router';
import { Page } from '../../components/ui/page.js';
import { Panel } from '../../components/ui/panel.js';
import { SnippetTabs } from '../../components/ui/snippet-tabs.js';
import { CollectionsTable } from '../../features/collections/components/collections-table.js';
import { collectionsQuery } from '../../features/collections/queries.js';
import { RealtimeSummary } from '../../features/databases/components/realtime-summary.js';
import { databaseQuery } from '../../features/databases/queries.js';
import { ActivityWire } from '../../features/events/components/activity-wire.js';
import { RecentEvents } from '../../features/events/components/recent-events.js';
import { useEventBuffer } from '../../features/events/use-event-buffer.js';
import { formatCount, formatDateTime } from '../../lib/format.js';
import { firstSteps } from '../../lib/snippets.js';
import { databaseRoute } from './database.js';

export const overviewRoute = createRoute({ getParentRoute: () => databaseRoute, path: '/', component: OverviewPage });

function OverviewPage() {
  const { database } = overviewRoute.useParams();
  const { data } = useSuspenseQuery(databaseQuery(database));
  const { data: collections } = useQuery(collectionsQuery(database));
  const log = useEventBuffer(database);
  const firstCollection = collections?.[0]?.name;
  const documents = collections?.reduce((sum, collection) => sum + collection.documents, 0);
  return (
    <Page
      title="Overview"
      heading={database}
      description={`Created ${formatDateTime(data.createdAt)}. The log ${data.head === 0 ? 'is empty' : `reaches back to event ${formatCount(data.oldest)}`}.`}
    >
      <Panel>
        <div className="flex flex-col gap-x-10 gap-y-5 md:flex-row md:items-end">
          <dl className="flex shrink-0 flex-wrap gap-x-7 gap-y-4 sm:gap-x-10">
            <Figure name="Events in the log" value={formatCount(data.head)} isBig />
            <Figure name="Collections" value={collections ? formatCount(collections.length) : '–'} />
            <Figure name="Documents" value={documents === undefined ? '–' : formatCount(documents)} />
          </dl>
          <ActivityWire events={log.buffer.rows} isComplete={log.history.state === 'complete'} />
        </div>
      </Panel>
      <div className="grid gap-5 xl:grid-cols-[minmax(0,5fr)_minmax(0,3fr)]">
        <div className="flex min-w-0 flex-col gap-5">
          <Panel
            title="Quick start"
            description="Against this server. Put the text of one of your keys in place of YOUR_KEY."
          >
            <SnippetTabs
              snippets={firstSteps({
                origin: window.location.origin,
                ...(firstCollection ? { collection: firstCollection } : {}),
              })}
            />
          </Panel>
          <Panel title="Last events" isFlush>
            <RecentEvents database={database} log={log} />
          </Panel>
        </div>
        <div className="flex min-w-0 flex-col gap-5">
          <Panel title="Realtime">
            <RealtimeSummary database={database} isGlobal={data.settings.realtime.global} />
          </Panel>
          <Panel title="Collections" isFlush>
            <CollectionsTable database={database} isCompact />
          </Panel>
        </div>
      </div>
    </Page>
  );
}

function Figure({ name, value, isBig }: { name: string; value: string; isBig?: boolean }) {
  return (
    <div className="flex flex-col-reverse justify-end gap-0.5">
      <dt className="text-xs text-muted">{name}</dt>
      <dd
        className={
          isBig
            ? 'text-2xl font-semibold tracking-[-0.03em] sm:text-3xl'
            : 'flex items-end text-2xl font-medium tracking-[-0.02em] sm:h-11'
        }
      >
        {value}
      </dd>
    </div>
  );
}
