import type { IndexAnswer } from '@tidewire/protocol/collection-schema';
import { Sheet } from '../../../components/ui/dialog.js';
import { formatAmount } from '../../../lib/format.js';

type DoublesSheetProps = { index: IndexAnswer; isOpen: boolean; onClose: () => void };

/** The documents that keep a unique index from being built, those with the same value together. */
export function DoublesSheet({ index, isOpen, onClose }: DoublesSheetProps) {
  const groups = index.error?.documents ?? [];
  return (
    <Sheet isOpen={isOpen} onClose={onClose} title={`Shared values of ${index.name}`}>
      <div className="flex min-h-0 flex-1 flex-col gap-4 overflow-y-auto p-4 text-sm">
        <p className="text-muted">
          The documents of a group have the same value. Change or delete all but one of each, then{' '}
          {index.isOfSchema ? 'save the schema again' : 'drop the index and create it again'}. At most 100 documents are
          listed.
        </p>
        <ol className="flex flex-col gap-3">
          {groups.map((ids) => (
            <li key={ids[0]} className="rounded-md border border-line bg-sunken px-3 py-2">
              <p className="text-xs text-muted">{formatAmount(ids.length, 'document')} with one value</p>
              <ul className="mt-1 flex flex-col gap-0.5">
                {ids.map((id) => (
                  <li key={id}>
                    <code className="text-xs select-all">{id}</code>
                  </li>
                ))}
              </ul>
            </li>
          ))}
        </ol>
      </div>
    </Sheet>
  );
}
