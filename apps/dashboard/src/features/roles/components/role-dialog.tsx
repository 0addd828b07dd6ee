import type { RoleAnswer } from '@tidewire/protocol/roles';
import { type FormEvent, useState } from 'react';
import { CodeEditor } from '../../../components/ui/code-editor.js';
import { Dialog } from '../../../components/ui/dialog.js';
import { DialogForm } from '../../../components/ui/dialog-form.js';
import { Field } from '../../../components/ui/field.js';
import { toastDone } from '../../../components/ui/toaster.js';
import { ApiError } from '../../../lib/api-error.js';
import { focusFirstError } from '../../../lib/form/focus-first-error.js';
import { mistakesOf, noMistakes, type RoleText, readRole, textOfRole } from '../role-form.js';
import { useSaveRole } from '../save-role.js';

type RoleDialogProps = { database: string; edited: RoleAnswer | null; isOpen: boolean; onClose: () => void };

/** For a new role (`edited` null), or one that is there. */
export function RoleDialog({ isOpen, onClose, database, edited }: RoleDialogProps) {
  return (
    <Dialog
      isOpen={isOpen}
      onClose={onClose}
      title={edited === null ? 'Create role' : `Edit ${edited.name}`}
      description={
        edited === null
          ? 'What users may do who have it: grants, and for each collection which documents and fields are theirs.'
          : 'A change takes hold within a second, on streams that are already open too.'
      }
      width="lg"
    >
      <RoleForm database={database} edited={edited} onClose={onClose} />
    </Dialog>
  );
}

const grants = [
  { name: 'rest', label: 'REST access', hint: 'What may be done with documents: GET:note *:comment' },
  { name: 'listen', label: 'Channels', hint: 'What is heard live: *:note PUBLISH:chat.*' },
  { name: 'publish', label: 'Publish', hint: 'Events of your own that may be sent: chat.*' },
] as const;

function RoleForm({ database, edited, onClose }: Omit<RoleDialogProps, 'isOpen'>) {
  const [text, setText] = useState(() => textOfRole(edited));
  const [mistakes, setMistakes] = useState(noMistakes);
  const save = useSaveRole(database, { isNew: edited === null });
  const { fields, lines } = mistakes;

  function change(part: Partial<RoleText>) {
    setText((before) => ({ ...before, ...part }));
    setMistakes(noMistakes);
  }

  function submit(event: FormEvent<HTMLFormElement>) {
    event.preventDefault();
    const form = event.currentTarget;
    const read = readRole(text);
    if (!read.ok) {
      setMistakes(read);
      return requestAnimationFrame(() => focusFirstError(form));
    }
    save.mutate(read.request, {
      onSuccess: ({ name }) => {
        toastDone(edited === null ? `${name} is created` : `${name} is saved`);
        onClose();
      },
      onError: (error) => setMistakes(error instanceof ApiError ? mistakesOf(text, error.fields) : noMistakes),
    });
  }

  return (
    <DialogForm
      onSubmit={submit}
      onCancel={onClose}
      action={edited === null ? 'Create role' : 'Save'}
      isBusy={save.isPending}
      error={save.error}
    >
      <div className="flex flex-col gap-5">
        {edited === null ? (
          <Field
            label="Name"
            name="name"
            autoComplete="off"
            maxLength={63}
            placeholder="member"
            value={text.name}
            error={fields.name}
            onChange={(event) => change({ name: event.target.value })}
          />
        ) : null}
        {grants.map(({ name, label, hint }) => (
          <Field
            key={name}
            label={label}
            name={name}
            hint={hint}
            autoComplete="off"
            autoCapitalize="off"
            spellCheck={false}
            value={text[name]}
            error={fields[name]}
            onChange={(event) => change({ [name]: event.target.value })}
          />
        ))}
        <CodeEditor
          label="Rules"
          value={text.rules}
          minLines={6}
          maxLines={18}
          markedLines={lines}
          error={fields.rules}
          hint={
            <>
              By collection, with <code>q</code>, <code>readFields</code>, <code>writeFields</code> and{' '}
              <code>defaults</code>: <code>{'{"note": {"q": {"owner": "$user.sub"}}}'}</code>
            </>
          }
          onChange={(rules) => change({ rules })}
        />
      </div>
    </DialogForm>
  );
}
