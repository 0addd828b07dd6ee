import { type GrantKind, grantRules } from '@tidewire/protocol/channel';
import { Plus } from 'lucide-react';
import { type KeyboardEvent, useId, useState } from 'react';
import { Button } from '../../../components/ui/button.js';
import { Chip } from '../../../components/ui/chip.js';
import { classes } from '../../../components/ui/classes.js';
import { inputClasses } from '../../../components/ui/field.js';
import {
  addDraft,
  describeGrant,
  type GrantEditor,
  pickableMethods,
  readDraft,
  removeGrant,
  suggestNames,
  toggleMethod,
} from '../grant-editor.js';

type Words = { title: string; entry: string; purpose: string; inputLabel: string; placeholder: string; none: string };

const wordsFor: Record<GrantKind, Words> = {
  rest: {
    title: 'REST access',
    entry: 'REST grant',
    purpose: 'What the key may do with documents.',
    inputLabel: 'Add a REST grant',
    placeholder: 'company or GET:company',
    none: 'No document can be read or written with this key.',
  },
  listen: {
    title: 'Channels',
    entry: 'channel',
    purpose: 'What the key hears live.',
    inputLabel: 'Add a channel',
    placeholder: 'company or POST:company',
    none: 'The key hears nothing, unless realtime is on for every key.',
  },
  publish: {
    title: 'Publish',
    entry: 'publish name',
    purpose: 'Which events of your own the key may send.',
    inputLabel: 'Add a publish name',
    placeholder: 'goal or chat.*',
    none: 'The key publishes nothing.',
  },
};

type GrantFieldProps = {
  editor: GrantEditor;
  collections: readonly string[];
  /** Shows an unfinished entry as a mistake, because sending was tried. */
  isRefused: boolean;
  error: string | undefined;
  onChange: (editor: GrantEditor) => void;
};

export function GrantField({ editor, collections, isRefused, error, onChange }: GrantFieldProps) {
  const { kind } = editor;
  const words = wordsFor[kind];
  const id = useId();
  const [refusedDraft, setRefusedDraft] = useState<string | null>(null);
  const reading = readDraft(editor);
  const isBad = reading.outcome === 'bad' && (isRefused || refusedDraft === editor.draft);

  function add(draft: string) {
    const next = addDraft({ ...editor, draft });
    setRefusedDraft(next.draft === '' ? null : draft);
    onChange(next);
  }

  function onKeyDown(event: KeyboardEvent) {
    if (event.key !== 'Enter' || event.nativeEvent.isComposing) return;
    event.preventDefault();
    add(editor.draft);
  }

  return (
    <fieldset className="flex min-w-0 flex-col gap-2.5">
      <legend className="mb-2">
        <span className="text-sm font-semibold">{words.title}</span>{' '}
        <span className="text-xs text-muted">{words.purpose}</span>
      </legend>
      <ul aria-label={`${words.title}: granted`} className="flex min-h-5.5 flex-wrap gap-1.5">
        {editor.grants.map((grant) => (
          <li key={grant} className="flex max-w-full min-w-0">
            <Chip
              text={grant}
              title={`May ${describeGrant(kind, grant)}`}
              onRemove={() => onChange(removeGrant(editor, grant))}
            />
          </li>
        ))}
        {editor.grants.length === 0 ? <li className="text-xs text-faint">{words.none}</li> : null}
      </ul>
      <div className="flex flex-wrap items-end gap-x-2 gap-y-2.5">
        {pickableMethods[kind].length > 0 ? <MethodPicker editor={editor} onChange={onChange} /> : null}
        <div className="flex min-w-48 flex-1 flex-col gap-1">
          <label htmlFor={id} className="text-xs text-muted">
            {words.inputLabel}
          </label>
          <div className="flex gap-2">
            <input
              id={id}
              type="text"
              autoCapitalize="off"
              autoComplete="off"
              spellCheck={false}
              placeholder={words.placeholder}
              value={editor.draft}
              aria-invalid={isBad || undefined}
              aria-describedby={`${id}-note`}
              onKeyDown={onKeyDown}
              onChange={(event) => onChange({ ...editor, draft: event.target.value })}
              className={`${inputClasses} flex-1 font-mono text-xs!`}
            />
            <Button
              icon={<Plus aria-hidden />}
              aria-label={`Add typed ${words.entry}`}
              onClick={() => add(editor.draft)}
            >
              Add
            </Button>
          </div>
        </div>
      </div>
      <Suggestions editor={editor} collections={collections} onPick={add} />
      <p
        id={`${id}-note`}
        role="status"
        className={classes('text-xs', isBad ? 'font-medium text-delete' : 'text-muted')}
      >
        {reading.outcome === 'good' ? (
          <>
            Enter adds <code className="text-text">{reading.grants.join(' ')}</code>: may{' '}
            {describeGrant(kind, reading.grants[0] ?? '')}
            {reading.grants.length > 1 ? ' and more' : ''}.
          </>
        ) : reading.outcome === 'bad' ? (
          <>
            {isBad ? (
              <>
                <code>{reading.word}</code> does not fit.{' '}
              </>
            ) : null}
            Allowed: {reading.allowed}.
          </>
        ) : (
          `Allowed: ${grantRules[kind]}.`
        )}
      </p>
      {error ? (
        <p role="alert" className="text-xs font-medium text-delete">
          {error}
        </p>
      ) : null}
    </fieldset>
  );
}

const shownSuggestions = 8;

/** The collections to take with one press; typing narrows them. */
function Suggestions({
  editor,
  collections,
  onPick,
}: {
  editor: GrantEditor;
  collections: readonly string[];
  onPick: (draft: string) => void;
}) {
  const offers = suggestNames(editor, collections);
  if (offers.length === 0) return null;
  const more = offers.length - shownSuggestions;
  return (
    <div
      role="group"
      aria-label={`${wordsFor[editor.kind].title} suggestions`}
      className="flex flex-wrap items-center gap-1"
    >
      {offers.slice(0, shownSuggestions).map(({ name, draft }) => (
        <button
          key={name}
          type="button"
          aria-label={`Take ${name === '*' ? 'every collection' : name}`}
          onClick={() => onPick(draft)}
          className="inline-flex h-6 max-w-56 items-center gap-1 rounded-xs border border-dashed border-line-strong px-1.5 font-mono text-2xs text-muted transition-colors hover:border-accent hover:text-accent-text max-sm:h-8"
        >
          <Plus aria-hidden className="size-3 shrink-0" />
          <span className="truncate">{name}</span>
        </button>
      ))}
      {more > 0 ? <span className="text-2xs text-faint">and {more} more: type to narrow</span> : null}
    </div>
  );
}

function MethodPicker({ editor, onChange }: { editor: GrantEditor; onChange: (editor: GrantEditor) => void }) {
  return (
    <div
      role="group"
      aria-label={`${wordsFor[editor.kind].title} methods`}
      className="flex h-8.5 gap-0.5 rounded-md border border-line-strong p-0.5 max-sm:h-10 max-sm:w-full"
    >
      {pickableMethods[editor.kind].map((method) => {
        const isOn = editor.methods.includes(method);
        return (
          <button
            key={method}
            type="button"
            aria-pressed={isOn}
            aria-label={method === '*' ? 'All methods' : method}
            onClick={() => onChange(toggleMethod(editor, method))}
            className={classes(
              'flex-1 rounded-sm px-2 font-mono text-2xs font-medium transition-colors max-sm:px-1',
              isOn ? 'bg-accent-soft text-accent-text' : 'text-faint hover:bg-hover hover:text-text',
            )}
          >
            {method === '*' ? 'ALL' : method}
          </button>
        );
      })}
    </div>
  );
}
