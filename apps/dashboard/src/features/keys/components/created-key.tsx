import type { CreatedKeyAnswer } from '@tidewire/protocol/admin-api';
import { Button } from '../../../components/ui/button.js';
import { DialogBody, DialogFooter } from '../../../components/ui/dialog.js';
import { ShownOnce } from '../../../components/ui/shown-once.js';
import { SnippetTabs } from '../../../components/ui/snippet-tabs.js';
import { firstSteps } from '../../../lib/snippets.js';
import { collectionOfGrants } from '../collection-of-grants.js';

type CreatedKeyProps = { created: CreatedKeyAnswer; onDone: () => void; note?: string };

/** The text of a key that was just made or rotated. */
export function CreatedKey({ created, onDone, note }: CreatedKeyProps) {
  const collection = collectionOfGrants(created);
  const snippets = firstSteps({
    origin: window.location.origin,
    key: created.key,
    ...(collection ? { collection } : {}),
  });
  return (
    <>
      <DialogBody>
        <div className="flex flex-col gap-6">
          <ShownOnce
            label="Your new key"
            text={created.key}
            what="key"
            hint={note ?? 'The server keeps only a hash of it. When it is lost, rotate the key: it gets another text.'}
            takesFocus
          />
          <div className="flex flex-col gap-3">
            <h3 className="text-sm font-semibold">Try it</h3>
            <SnippetTabs snippets={snippets} />
          </div>
        </div>
      </DialogBody>
      <DialogFooter>
        <Button variant="primary" onClick={onDone}>
          Done
        </Button>
      </DialogFooter>
    </>
  );
}
