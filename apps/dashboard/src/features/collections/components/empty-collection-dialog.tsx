import type { EmptyingLine } from '@tidewire/protocol/admin-api';
import { type FormEvent, useState } from 'react';
import { Button } from '../../../components/ui/button.js';
import { Dialog, DialogBody, DialogFooter } from '../../../components/ui/dialog.js';
import { ErrorNote } from '../../../components/ui/error-state.js';
import { Field } from '../../../components/ui/field.js';
import { ProgressBar } from '../../../components/ui/progress-bar.js';
import { formatAmount, formatCount } from '../../../lib/format.js';
import { type EmptyingKind, useEmptyCollection } from '../empty-collection.js';

type EmptyCollectionDialogProps = {
  database: string;
  collection: string;
  kind: EmptyingKind;
  isOpen: boolean;
  onClose: () => void;
  /** Runs when the closing animation is over. */
  onClosed: () => void;
};

const words = {
  truncate: { title: 'Truncate', action: 'Delete all documents', done: 'is truncated' },
  drop: { title: 'Drop', action: 'Drop collection', done: 'is dropped' },
} as const;

/** Asks for the name, then shows how far the server is, then how it ended. Closing it does not stop the server. */
export function EmptyCollectionDialog(props: EmptyCollectionDialogProps) {
  const { database, collection, kind, isOpen, onClose, onClosed } = props;
  const [typed, setTyped] = useState('');
  const [progress, setProgress] = useState<EmptyingLine | null>(null);
  const empty = useEmptyCollection(database, collection, kind, setProgress);
  const { title, action, done } = words[kind];
  const isConfirmed = typed === collection;

  function submit(event: FormEvent<HTMLFormElement>) {
    event.preventDefault();
    if (!isConfirmed || empty.isPending) return;
    setProgress(null);
    empty.mutate();
  }

  return (
    <Dialog
      isOpen={isOpen}
      onClose={onClose}
      onClosed={onClosed}
      title={empty.isSuccess ? `${collection} ${done}` : `${title} ${collection}?`}
      width="sm"
      isUrgent
    >
      <form noValidate onSubmit={submit} className="flex min-h-0 flex-1 flex-col">
        <DialogBody>
          <div className="flex flex-col gap-4 text-sm text-muted">
            {empty.isIdle || empty.isError ? (
              <>
                <Consequences kind={kind} />
                <Field
                  label={`Type ${collection} to confirm`}
                  name="confirm"
                  autoComplete="off"
                  autoCapitalize="off"
                  spellCheck={false}
                  value={typed}
                  onChange={(event) => setTyped(event.target.value)}
                  className="text-text"
                />
              </>
            ) : null}
            <Progress kind={kind} state={empty.status} line={progress} />
            {empty.error ? <ErrorNote error={empty.error} /> : null}
          </div>
        </DialogBody>
        <DialogFooter>
          <Button onClick={onClose}>{empty.isIdle || empty.isError ? 'Cancel' : 'Close'}</Button>
          {empty.isSuccess ? null : (
            <Button type="submit" variant="danger" isBusy={empty.isPending} disabled={!isConfirmed}>
              {action}
            </Button>
          )}
        </DialogFooter>
      </form>
    </Dialog>
  );
}

function Consequences({ kind }: { kind: EmptyingKind }) {
  return kind === 'truncate' ? (
    <p>
      Every document that is there now is deleted, each with its own event. What is written meanwhile stays, and so do
      the schema and the indexes. This cannot be taken back.
    </p>
  ) : (
    <p>
      Every document is deleted, each with its own event, and then the collection with its schema and indexes. This
      cannot be taken back.
    </p>
  );
}

type ProgressProps = { kind: EmptyingKind; state: 'idle' | 'pending' | 'success' | 'error'; line: EmptyingLine | null };

function Progress({ kind, state, line }: ProgressProps) {
  return (
    <>
      {line ? (
        <ProgressBar
          label="Documents deleted"
          value={line.deleted}
          max={Math.max(line.total, line.deleted)}
          text={`${formatCount(line.deleted)} of ${formatAmount(line.total, 'document')} deleted`}
        />
      ) : null}
      {state === 'pending' ? (
        <p role="status">{line ? 'You may close this: the server goes on.' : 'Counting the documents…'}</p>
      ) : null}
      {state === 'success' ? (
        <p role="status">
          {kind === 'drop'
            ? 'The collection is gone with all its documents.'
            : 'Every document that was there is deleted.'}
        </p>
      ) : null}
    </>
  );
}
