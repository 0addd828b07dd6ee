import type { DatabaseAnswer } from '@tidewire/protocol/admin-api';
import type { DatabaseSettingsPatch } from '@tidewire/protocol/settings';
import { type ReactNode, useId, useState } from 'react';
import { ConfirmDialog } from '../../../components/ui/confirm-dialog.js';
import { ErrorNote } from '../../../components/ui/error-state.js';
import { Panel } from '../../../components/ui/panel.js';
import { Switch } from '../../../components/ui/switch.js';
import { toastDone } from '../../../components/ui/toaster.js';
import { useUpdateSettings } from '../update-settings.js';
import { LogPanel } from './log-panel.js';
import { SettingsJson } from './settings-json.js';

export function SettingsPanels({ database }: { database: DatabaseAnswer }) {
  const { settings } = database;
  return (
    <div className="grid items-start gap-5 lg:grid-cols-[minmax(0,3fr)_minmax(0,2fr)]">
      <div className="flex min-w-0 flex-col gap-5">
        <Panel title="Realtime">
          <RealtimeSetting database={database.name} isOn={settings.realtime.global} />
        </Panel>
        <Panel title="Collections">
          <CreateOnWriteSetting database={database.name} isOn={settings.collections.createOnWrite} />
        </Panel>
        <Panel title="Event log" description="Every change and every published event, numbered.">
          <LogPanel database={database} />
        </Panel>
      </div>
      <SettingsJson key={database.name} database={database} />
    </div>
  );
}

function RealtimeSetting({ database, isOn }: { database: string; isOn: boolean }) {
  const update = useUpdateSettings(database);
  const [isAsking, setIsAsking] = useState(false);
  const save = (global: boolean) =>
    update.mutate({ realtime: { global } } satisfies DatabaseSettingsPatch, {
      onSuccess: () => {
        setIsAsking(false);
        toastDone(global ? 'Realtime is on for every key' : 'Realtime follows the channels of each key');
      },
    });
  return (
    <>
      <Setting
        title="Realtime for every key"
        isOn={isOn}
        isBusy={update.isPending}
        error={isAsking ? null : update.error}
        onChange={(next) => (next ? setIsAsking(true) : save(false))}
      >
        <p>Off: each key hears the channels in its own list, and nothing else.</p>
        <p>
          On: every key of <strong className="font-medium text-text">{database}</strong> hears every change of every
          collection and every published event. Its channel list no longer narrows anything.
        </p>
        <p>A change takes hold within a second, on streams that are already open too.</p>
      </Setting>
      <ConfirmDialog
        isOpen={isAsking}
        onClose={() => setIsAsking(false)}
        title="Turn realtime on for every key?"
        action="Turn on"
        isBusy={update.isPending}
        error={update.error}
        onConfirm={() => save(true)}
      >
        <p>
          Everyone who holds any key of <strong className="font-medium text-text">{database}</strong> will be able to
          hear all of its changes, including keys that stand in web pages.
        </p>
        <p>To let single keys hear single channels, leave this off and give the channels to the key.</p>
      </ConfirmDialog>
    </>
  );
}

function CreateOnWriteSetting({ database, isOn }: { database: string; isOn: boolean }) {
  const update = useUpdateSettings(database);
  const save = (createOnWrite: boolean) =>
    update.mutate(
      { collections: { createOnWrite } },
      {
        onSuccess: () =>
          toastDone(createOnWrite ? 'Writing creates collections' : 'Writing to an unknown collection is refused'),
      },
    );
  return (
    <Setting
      title="Create collections on first write"
      isOn={isOn}
      isBusy={update.isPending}
      error={update.error}
      onChange={save}
    >
      <p>
        On: a collection appears with its first document. Off: a write to a collection that does not exist is answered
        with 404.
      </p>
    </Setting>
  );
}

type SettingProps = {
  title: string;
  isOn: boolean;
  isBusy: boolean;
  error: unknown;
  onChange: (isOn: boolean) => void;
  children: ReactNode;
};

function Setting({ title, isOn, isBusy, error, onChange, children }: SettingProps) {
  const id = useId();
  return (
    <div className="flex flex-col gap-3">
      <div className="flex items-start justify-between gap-6">
        <div className="min-w-0">
          <p className="font-medium">{title}</p>
          <div id={id} className="mt-1 flex max-w-[68ch] flex-col gap-1.5 text-sm text-muted">
            {children}
          </div>
        </div>
        <Switch label={title} describedBy={id} checked={isOn} disabled={isBusy} onChange={onChange} />
      </div>
      {error ? <ErrorNote error={error} /> : null}
    </div>
  );
}
