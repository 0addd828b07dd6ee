import { type FormEvent, useState } from 'react';
import { CodeEditor } from '../../../components/ui/code-editor.js';
import { Dialog } from '../../../components/ui/dialog.js';
import { DialogForm } from '../../../components/ui/dialog-form.js';
import { Field } from '../../../components/ui/field.js';
import { SegmentedChoice } from '../../../components/ui/segmented-choice.js';
import { Switch } from '../../../components/ui/switch.js';
import { toastDone } from '../../../components/ui/toaster.js';
import { ApiError } from '../../../lib/api-error.js';
import { type FieldErrors, fieldsOfProblem } from '../../../lib/form/field-errors.js';
import { focusFirstError } from '../../../lib/form/focus-first-error.js';
import { useCreateIndex } from '../create-index.js';
import { emptyIndexForm, type IndexForm, readIndexForm } from '../index-form.js';

type CreateIndexDialogProps = { database: string; collection: string; isOpen: boolean; onClose: () => void };

export function CreateIndexDialog({ isOpen, onClose, ...rest }: CreateIndexDialogProps) {
  return (
    <Dialog
      isOpen={isOpen}
      onClose={onClose}
      title="Create index"
      description="It is built in the background, and nobody has to wait for it."
    >
      <CreateIndexForm {...rest} onClose={onClose} />
    </Dialog>
  );
}

const kinds = [
  { value: 'fields', label: 'Fields' },
  { value: 'text', label: 'Words' },
] as const;

function CreateIndexForm({ database, collection, onClose }: Omit<CreateIndexDialogProps, 'isOpen'>) {
  const [form, setForm] = useState<IndexForm>(emptyIndexForm);
  const [hasTried, setHasTried] = useState(false);
  const create = useCreateIndex(database, collection);
  const reading = readIndexForm(form);
  const errors: FieldErrors = {
    ...(create.error instanceof ApiError ? fieldsOfProblem(create.error.fields) : {}),
    ...(hasTried && !reading.ok ? reading.errors : {}),
  };

  function change(part: Partial<IndexForm>) {
    setForm((before) => ({ ...before, ...part }));
    create.reset();
  }

  function submit(event: FormEvent<HTMLFormElement>) {
    event.preventDefault();
    setHasTried(true);
    const element = event.currentTarget;
    if (!reading.ok) return focusFirstError(element);
    create.mutate(reading.body, {
      onSuccess: ({ name }) => {
        toastDone(`${name} is being built`);
        onClose();
      },
      onError: () => focusFirstError(element),
    });
  }

  return (
    <DialogForm
      onSubmit={submit}
      onCancel={onClose}
      action="Create index"
      isBusy={create.isPending}
      error={create.error}
    >
      <div className="flex flex-col gap-5">
        <SegmentedChoice
          label="What the index is for"
          value={form.kind}
          options={kinds}
          onChange={(kind) => change({ kind })}
        />
        {form.kind === 'fields' ? (
          <FieldsPart form={form} errors={errors} onChange={change} />
        ) : (
          <p className="text-sm text-muted">
            For <code className="text-text">filter</code> and <code className="text-text">$text</code>: the words of all
            texts of each document. A collection has one such index.
          </p>
        )}
        <Field
          label="Name"
          name="name"
          autoComplete="off"
          maxLength={63}
          placeholder="made of the fields"
          hint="Optional."
          value={form.name}
          error={errors.name}
          onChange={(event) => change({ name: event.target.value })}
        />
      </div>
    </DialogForm>
  );
}

type FieldsPartProps = { form: IndexForm; errors: FieldErrors; onChange: (part: Partial<IndexForm>) => void };

function FieldsPart({ form, errors, onChange }: FieldsPartProps) {
  return (
    <>
      <Field
        label="Fields"
        name="fields"
        autoComplete="off"
        autoCapitalize="off"
        spellCheck={false}
        placeholder="city, address.street"
        hint="One to four, apart by commas, in the order in which queries narrow by them. Dots lead into objects."
        value={form.fields}
        error={errors.fields}
        onChange={(event) => onChange({ fields: event.target.value })}
      />
      <div className="flex items-start justify-between gap-6">
        <div className="min-w-0">
          <p className="text-sm font-medium">Unique</p>
          <p className="mt-0.5 text-xs text-muted" id="unique-note">
            No two documents have the same values there. Missing fields and null do not count.
          </p>
        </div>
        <Switch
          label="Unique"
          describedBy="unique-note"
          checked={form.isUnique}
          onChange={(isUnique) => onChange({ isUnique })}
        />
      </div>
      <CodeEditor
        label="Only documents that match"
        value={form.where}
        minLines={2}
        maxLines={8}
        hint={
          <>
            Optional: a query, as in <code>{'{"state": "open"}'}</code>. Empty covers all documents.
          </>
        }
        error={errors.where}
        onChange={(where) => onChange({ where })}
      />
    </>
  );
}
