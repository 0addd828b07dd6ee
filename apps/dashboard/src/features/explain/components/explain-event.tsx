import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { Badge } from '../../../components/ui/badge.js';
import { ErrorNote } from '../../../components/ui/error-state.js';
import { Select } from '../../../components/ui/select.js';
import { explanationQuery } from '../queries.js';

type ExplainEventProps = { database: string; eventId: number; keys: readonly { id: string; name: string }[] };

/** Says of a key that is chosen whether it is shown the event, and why. */
export function ExplainEvent({ database, eventId, keys }: ExplainEventProps) {
  const [keyId, setKeyId] = useState('');
  const { data, error } = useQuery(explanationQuery(database, eventId, keyId));
  const options = [{ value: '', label: 'Choose a key' }, ...keys.map(({ id, name }) => ({ value: id, label: name }))];
  return (
    <div className="flex flex-wrap items-center gap-x-3 gap-y-2 text-xs">
      <span className="text-muted">Explain: is it shown to</span>
      <Select label="Key to explain" value={keyId} options={options} onChange={setKeyId} className="w-48" />
      {data ? (
        <p role="status" className="flex min-w-0 items-center gap-2">
          <Badge tone={data.shown ? 'post' : 'delete'}>{data.shown ? 'Shown' : 'Not shown'}</Badge>
          <span className="text-muted">{data.detail}</span>
        </p>
      ) : null}
      {error ? <ErrorNote error={error} /> : null}
    </div>
  );
}
