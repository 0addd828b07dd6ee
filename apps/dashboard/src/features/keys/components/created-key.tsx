import type { CreatedKeyAnswer } from '@tidewire/protocol/admin-api';
import { useEffect, useId, useRef } from 'react';
import { Button } from '../../../components/ui/button.js';
import { CopyButton } from '../../../components/ui/copy-button.js';
import { DialogBody, DialogFooter } from '../../../components/ui/dialog.js';
import { inputClasses } from '../../../components/ui/field.js';
import { SnippetTabs } from '../../../components/ui/snippet-tabs.js';
import { firstSteps } from '../../../lib/snippets.js';
import { collectionOfGrants } from '../collection-of-grants.js';

type CreatedKeyProps = { created: CreatedKeyAnswer; onDone: () => void; note?: string };

/** The text of a key that was just made or rotated. */
export function CreatedKey({ created, onDone, note }: CreatedKeyProps) {
  const id = useId();
  const keyInput = useRef<HTMLInputElement>(null);
  // The form that had the focus is gone; the key is what comes next.
  useEffect(() => keyInput.current?.focus(), []);
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
          <div className="flex flex-col gap-1.5">
            <label htmlFor={id} className="text-sm font-medium">
              Your new key
            </label>
            <div className="flex flex-wrap gap-2">
              <input
                ref={keyInput}
                id={id}
                readOnly
                value={created.key}
                onFocus={(event) => event.currentTarget.select()}
                className={`${inputClasses} min-w-56 flex-1 border-accent! bg-accent-soft! font-mono text-xs!`}
              />
              <CopyButton text={created.key} what="key" isWide />
            </div>
            <p className="text-xs text-muted">
              {note ?? 'The server keeps only a hash of it. When it is lost, rotate the key: it gets another text.'}
            </p>
          </div>
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
