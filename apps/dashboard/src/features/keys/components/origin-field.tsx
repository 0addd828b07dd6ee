import { Plus } from 'lucide-react';
import { type KeyboardEvent, useId, useState } from 'react';
import { Button } from '../../../components/ui/button.js';
import { Chip } from '../../../components/ui/chip.js';
import { classes } from '../../../components/ui/classes.js';
import { inputClasses } from '../../../components/ui/field.js';
import { addOrigin, type OriginEditor, readOrigin } from '../origin-editor.js';

type OriginFieldProps = {
  editor: OriginEditor;
  isRefused: boolean;
  error: string | undefined;
  onChange: (editor: OriginEditor) => void;
};

export function OriginField({ editor, isRefused, error, onChange }: OriginFieldProps) {
  const id = useId();
  const [refusedDraft, setRefusedDraft] = useState<string | null>(null);
  const reading = readOrigin(editor.draft);
  const isBad = reading.outcome === 'bad' && (isRefused || refusedDraft === editor.draft);

  function add() {
    const next = addOrigin(editor);
    setRefusedDraft(next.draft === '' ? null : editor.draft);
    onChange(next);
  }

  function onKeyDown(event: KeyboardEvent) {
    if (event.key !== 'Enter' || event.nativeEvent.isComposing) return;
    event.preventDefault();
    add();
  }

  return (
    <fieldset className="flex min-w-0 flex-col gap-2.5">
      <legend className="mb-2">
        <span className="text-sm font-semibold">Origins</span>{' '}
        <span className="text-xs text-muted">
          {editor.origins.length === 0
            ? 'Without any it is a server key.'
            : 'It is a web key: pages of these origins may use it.'}
        </span>
      </legend>
      <ul aria-label="Origins: allowed" className="flex min-h-5.5 flex-wrap gap-1.5">
        {editor.origins.map((origin) => (
          <li key={origin} className="flex max-w-full min-w-0">
            <Chip
              text={origin}
              onRemove={() => onChange({ ...editor, origins: editor.origins.filter((other) => other !== origin) })}
            />
          </li>
        ))}
        {editor.origins.length === 0 ? (
          <li className="text-xs text-faint">No web page: only servers and command lines can use the key.</li>
        ) : null}
      </ul>
      <div className="flex flex-col gap-1">
        <label htmlFor={id} className="text-xs text-muted">
          Add an origin
        </label>
        <div className="flex gap-2">
          <input
            id={id}
            type="text"
            inputMode="url"
            autoCapitalize="off"
            autoComplete="off"
            spellCheck={false}
            placeholder="https://app.example"
            value={editor.draft}
            aria-invalid={isBad || undefined}
            aria-describedby={`${id}-note`}
            onKeyDown={onKeyDown}
            onChange={(event) => onChange({ ...editor, draft: event.target.value })}
            className={`${inputClasses} flex-1 font-mono text-xs!`}
          />
          <Button icon={<Plus aria-hidden />} aria-label="Add typed origin" onClick={add}>
            Add
          </Button>
        </div>
      </div>
      <p
        id={`${id}-note`}
        role="status"
        className={classes('text-xs', isBad ? 'font-medium text-delete' : 'text-muted')}
      >
        {isBad && reading.outcome === 'bad'
          ? `This is ${reading.message}.`
          : 'Scheme, host and port as the browser sends them, or * for any page.'}
      </p>
      {error ? (
        <p role="alert" className="text-xs font-medium text-delete">
          {error}
        </p>
      ) : null}
    </fieldset>
  );
}
