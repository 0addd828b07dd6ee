import { Database } from 'lucide-react';
import { EmptyState } from '../../components/ui/empty-state.js';
import { EntryFrame } from '../../features/session/components/entry-frame.js';

export function NoDatabasePage() {
  return (
    <EntryFrame title="No database" intro="This server has none yet.">
      <EmptyState icon={<Database aria-hidden />} title="Nothing to show">
        <p>The server creates a database when it starts for the first time. Look into its log for why it did not.</p>
      </EmptyState>
    </EntryFrame>
  );
}
