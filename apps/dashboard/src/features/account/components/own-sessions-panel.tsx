import { useQuery } from '@tanstack/react-query';
import { listOf } from '@tidewire/protocol/admin-api';
import { adminSessionSchema } from '@tidewire/protocol/admins';
import { SessionsTable } from '../../../components/sessions-table.js';
import { Panel } from '../../../components/ui/panel.js';
import { toastDone, toastFailed } from '../../../components/ui/toaster.js';
import { useListStream } from '../../../lib/use-list-stream.js';
import { useEndOwnSession } from '../end-session.js';
import { ownSessionsQuery } from '../queries.js';

export function OwnSessionsPanel() {
  const { data, error, refetch } = useQuery(ownSessionsQuery);
  const end = useEndOwnSession();
  useListStream({
    path: '/api/admin/sessions/stream',
    name: 'sessions',
    schema: listOf(adminSessionSchema),
    queryKey: ownSessionsQuery.queryKey,
    select: (answer) => answer.data,
  });
  return (
    <Panel title="Sessions" description="Where you are signed in. A session ends by itself after seven days." isFlush>
      <SessionsTable
        sessions={data}
        error={error}
        onRetry={() => void refetch()}
        onEnd={({ id }) =>
          end.mutate(id, {
            onSuccess: () => toastDone('The session has ended'),
            onError: (refusal) => toastFailed('The session goes on', refusal.message),
          })
        }
      />
    </Panel>
  );
}
