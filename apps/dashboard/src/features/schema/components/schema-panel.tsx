import { useQuery } from '@tanstack/react-query';
import { ErrorState } from '../../../components/ui/error-state.js';
import { Panel } from '../../../components/ui/panel.js';
import { LoadingNote, Skeleton } from '../../../components/ui/skeleton.js';
import { schemaQuery } from '../queries.js';
import { SchemaEditor } from './schema-editor.js';

export function SchemaPanel({ database, collection }: { database: string; collection: string }) {
  const { data, error, refetch } = useQuery(schemaQuery(database, collection));
  if (data !== undefined) return <SchemaEditor database={database} collection={collection} saved={data} />;
  if (error)
    return (
      <Panel isFlush>
        <ErrorState error={error} onRetry={() => void refetch()} />
      </Panel>
    );
  return (
    <Panel title="Fields">
      <LoadingNote what="schema" />
      <div className="flex flex-col gap-3">
        <Skeleton className="h-4 w-2/3" />
        <Skeleton className="h-4 w-1/2" />
        <Skeleton className="h-48 w-full" />
      </div>
    </Panel>
  );
}
