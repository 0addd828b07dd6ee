import { type ReactNode, useId, useState } from 'react';
import { Button } from '../../../components/ui/button.js';
import { Panel } from '../../../components/ui/panel.js';
import type { EmptyingKind } from '../empty-collection.js';
import { EmptyCollectionDialog } from './empty-collection-dialog.js';
import { MissingCollection } from './missing-collection.js';
import { type Renamed, RenamePanel } from './rename-panel.js';

type CollectionSettingsProps = {
  database: string;
  collection: string;
  /** The list of collections is known, and this one is not in it. */
  isMissing: boolean;
  renamed: Renamed | null;
  onRenamed: (renamed: Renamed) => void;
  /** The collection is gone, and whoever dropped it has read so. */
  onDropped: () => void;
};

type Opened = { kind: EmptyingKind; isOpen: boolean };

export function CollectionSettings(props: CollectionSettingsProps) {
  const { database, collection, isMissing, renamed, onRenamed, onDropped } = props;
  const [opened, setOpened] = useState<Opened | null>(null);
  // While its dialog is open a dropped collection is still spoken of.
  if (isMissing && opened === null) return <MissingCollection database={database} collection={collection} />;
  return (
    <>
      <RenamePanel database={database} collection={collection} renamed={renamed} onRenamed={onRenamed} />
      <Panel title="Danger" className="border-delete/40!">
        <div className="flex flex-col divide-y divide-line">
          <Danger
            title="Truncate"
            action="Truncate…"
            isDisabled={isMissing}
            onAct={() => setOpened({ kind: 'truncate', isOpen: true })}
          >
            Deletes all documents that are there when it begins. The collection, its schema and its indexes stay.
          </Danger>
          <Danger
            title="Drop"
            action="Drop…"
            isDisabled={isMissing}
            onAct={() => setOpened({ kind: 'drop', isOpen: true })}
          >
            Deletes all documents, and the collection with its schema and its indexes.
          </Danger>
        </div>
      </Panel>
      {opened ? (
        <EmptyCollectionDialog
          key={opened.kind}
          database={database}
          collection={collection}
          kind={opened.kind}
          isOpen={opened.isOpen}
          onClose={() => setOpened({ ...opened, isOpen: false })}
          onClosed={() => {
            setOpened(null);
            if (opened.kind === 'drop' && isMissing) onDropped();
          }}
        />
      ) : null}
    </>
  );
}

type DangerProps = { title: string; action: string; isDisabled: boolean; onAct: () => void; children: ReactNode };

function Danger({ title, action, isDisabled, onAct, children }: DangerProps) {
  const id = useId();
  return (
    <div className="flex flex-wrap items-center justify-between gap-x-6 gap-y-2 py-3 first:pt-0 last:pb-0">
      <div className="min-w-0 flex-1 basis-72">
        <p className="text-sm font-medium">{title}</p>
        <p id={id} className="mt-0.5 text-sm text-muted">
          {children}
        </p>
      </div>
      <Button disabled={isDisabled} aria-describedby={id} onClick={onAct} className="text-delete!">
        {action}
      </Button>
    </div>
  );
}
