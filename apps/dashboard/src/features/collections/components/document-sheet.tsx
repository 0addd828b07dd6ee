import { CopyButton } from '../../../components/ui/copy-button.js';
import { Sheet } from '../../../components/ui/dialog.js';
import { JsonView } from '../../../components/ui/json-view.js';
import { formatDateTime } from '../../../lib/format.js';
import { prettyJson } from '../../../lib/json-tokens.js';
import { metaText, type StoredDocument, splitDocument } from '../document-columns.js';

type DocumentSheetProps = { document: StoredDocument | null; isOpen: boolean; onClose: () => void };

/** A whole document: what it says, and what the server keeps about it. */
export function DocumentSheet({ document, isOpen, onClose }: DocumentSheetProps) {
  if (!document) return null;
  const { own, meta } = splitDocument(document);
  return (
    <Sheet isOpen={isOpen} onClose={onClose} title={metaText(document, '_id')}>
      <div className="flex min-h-0 flex-1 flex-col gap-5 overflow-y-auto p-4">
        <section className="flex flex-col gap-2">
          <div className="flex items-center justify-between gap-3">
            <h3 className="text-sm font-semibold">Fields</h3>
            <CopyButton text={prettyJson(own)} what="fields" />
          </div>
          <JsonView value={own} label="Fields as JSON" />
        </section>
        <section className="flex flex-col gap-2">
          <h3 className="text-sm font-semibold">Metafields</h3>
          <dl className="grid grid-cols-[auto_minmax(0,1fr)] gap-x-6 gap-y-1.5 text-sm">
            {Object.entries(meta).map(([field, value]) => (
              <Metafield key={field} field={field} value={value} />
            ))}
          </dl>
        </section>
      </div>
    </Sheet>
  );
}

function Metafield({ field, value }: { field: string; value: unknown }) {
  const text = typeof value === 'string' ? value : prettyJson(value);
  const isTime = (field === '_created' || field === '_changed') && typeof value === 'string';
  return (
    <>
      <dt className="font-mono text-xs leading-5 text-muted">{field}</dt>
      <dd className="min-w-0 font-mono text-xs leading-5 break-words">
        {text}
        {isTime ? <span className="block font-sans text-faint">{formatDateTime(text)}</span> : null}
      </dd>
    </>
  );
}
