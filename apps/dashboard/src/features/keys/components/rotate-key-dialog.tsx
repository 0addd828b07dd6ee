import type { ApiKeyAnswer, CreatedKeyAnswer } from '@tidewire/protocol/admin-api';
import { useState } from 'react';
import { Button } from '../../../components/ui/button.js';
import { Dialog, DialogBody, DialogFooter } from '../../../components/ui/dialog.js';
import { ErrorNote } from '../../../components/ui/error-state.js';
import { Select } from '../../../components/ui/select.js';
import { formatDateTime } from '../../../lib/format.js';
import { useRotateKey } from '../rotate-key.js';
import { CreatedKey } from './created-key.js';

type RotateKeyDialogProps = { database: string; rotated: ApiKeyAnswer; isOpen: boolean; onClose: () => void };

const overlaps = [
  { value: '0', label: 'Not at all' },
  { value: '3600', label: '1 hour' },
  { value: '86400', label: '24 hours' },
  { value: '604800', label: '7 days' },
  { value: '2592000', label: '30 days' },
];

/** First how long the present text stays good, then the new one, shown once. */
export function RotateKeyDialog({ isOpen, onClose, database, rotated }: RotateKeyDialogProps) {
  const [created, setCreated] = useState<CreatedKeyAnswer | null>(null);
  return (
    <Dialog
      isOpen={isOpen}
      onClose={onClose}
      onClosed={() => setCreated(null)}
      title={created ? 'Key rotated' : `Rotate ${rotated.name}`}
      description={
        created
          ? 'Copy the new text now: it is not shown again.'
          : 'The key gets another text. Its id, lists and open streams stay.'
      }
      width={created ? 'lg' : 'sm'}
      isUrgent={created !== null}
    >
      {created ? (
        <CreatedKey created={created} onDone={onClose} note={noteOf(created)} />
      ) : (
        <RotateKeyForm database={database} rotated={rotated} onClose={onClose} onCreated={setCreated} />
      )}
    </Dialog>
  );
}

function noteOf({ previousUntil }: CreatedKeyAnswer): string {
  return previousUntil === null
    ? 'The text before it is not taken any more.'
    : `The text before it is taken until ${formatDateTime(previousUntil)}.`;
}

type RotateKeyFormProps = Pick<RotateKeyDialogProps, 'database' | 'rotated' | 'onClose'> & {
  onCreated: (created: CreatedKeyAnswer) => void;
};

function RotateKeyForm({ database, rotated, onClose, onCreated }: RotateKeyFormProps) {
  const [overlap, setOverlap] = useState('86400');
  const rotate = useRotateKey(database);
  const submit = () => rotate.mutate({ id: rotated.id, overlapSeconds: Number(overlap) }, { onSuccess: onCreated });
  return (
    <>
      <DialogBody>
        <div className="flex flex-col gap-4 text-sm">
          <div className="flex flex-col gap-1.5">
            <span className="font-medium">The present text stays good for</span>
            <Select
              label="The present text stays good for"
              value={overlap}
              options={overlaps}
              onChange={setOverlap}
              className="w-full"
            />
          </div>
          <p className="text-muted">
            Meanwhile both are good, so that applications can be given the new one without a gap. If the text has
            leaked, choose “Not at all”.
          </p>
          {rotated.previousUntil === null ? null : (
            <p className="text-muted">The key was rotated before: the text of that time is over at once.</p>
          )}
        </div>
        {rotate.error ? <ErrorNote error={rotate.error} className="mt-4" /> : null}
      </DialogBody>
      <DialogFooter>
        <Button onClick={onClose}>Cancel</Button>
        <Button variant="primary" isBusy={rotate.isPending} onClick={submit}>
          Rotate
        </Button>
      </DialogFooter>
    </>
  );
}
