import type { DatabaseAnswer } from '@tidewire/protocol/admin-api';
import { useRef, useState } from 'react';
import { Button } from '../../../components/ui/button.js';
import { CodeEditor, goToLine } from '../../../components/ui/code-editor.js';
import { CopyButton } from '../../../components/ui/copy-button.js';
import { ErrorNote } from '../../../components/ui/error-state.js';
import { Panel } from '../../../components/ui/panel.js';
import { toastDone } from '../../../components/ui/toaster.js';
import { prettyJson } from '../../../lib/json-tokens.js';
import { readSettingsText } from '../settings-text.js';
import { useUpdateSettings } from '../update-settings.js';

/** All settings as one text, held to their schema while it is typed. What is left out keeps its value. */
export function SettingsJson({ database }: { database: DatabaseAnswer }) {
  const saved = prettyJson(database.settings);
  const [edited, setEdited] = useState<string | null>(null);
  const textarea = useRef<HTMLTextAreaElement>(null);
  const update = useUpdateSettings(database.name);
  const text = edited ?? saved;
  const reading = readSettingsText(text);
  const isDirty = edited !== null && edited !== saved;

  const save = () => {
    if (!reading.ok) return;
    update.mutate(reading.patch, {
      onSuccess: () => {
        // What was typed since then stays.
        setEdited((now) => (now === edited ? null : now));
        toastDone('The settings are saved');
      },
    });
  };

  return (
    <Panel
      title="Settings as JSON"
      description="The same, as a text to edit."
      actions={<CopyButton text={text} what="settings" />}
    >
      <div className="flex flex-col gap-3">
        <CodeEditor
          label="Settings text"
          isLabelHidden
          value={text}
          minLines={8}
          textarea={textarea}
          markedLines={new Set(reading.ok ? [] : reading.problems.map(({ line }) => line))}
          onChange={setEdited}
        />
        {reading.ok ? null : (
          <ul role="alert" className="flex flex-col gap-1 text-xs text-delete">
            {reading.problems.map(({ line, message }) => (
              <li key={`${line} ${message}`}>
                <button type="button" className="text-left underline" onClick={() => goToLine(textarea.current, line)}>
                  Line {line}
                </button>
                : {message}
              </li>
            ))}
          </ul>
        )}
        {update.error ? <ErrorNote error={update.error} /> : null}
        <div className="flex flex-wrap gap-2">
          <Button variant="primary" isBusy={update.isPending} disabled={!isDirty || !reading.ok} onClick={save}>
            Save
          </Button>
          {isDirty ? (
            <Button variant="quiet" onClick={() => setEdited(null)}>
              Undo changes
            </Button>
          ) : null}
        </div>
      </div>
    </Panel>
  );
}
