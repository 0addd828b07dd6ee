import { Braces } from 'lucide-react';
import { useRef, useState } from 'react';
import { DataTable } from '../../../components/data-table/data-table.js';
import { Button } from '../../../components/ui/button.js';
import { CodeEditor, goToLine } from '../../../components/ui/code-editor.js';
import { EmptyState } from '../../../components/ui/empty-state.js';
import { Panel } from '../../../components/ui/panel.js';
import { toastDone } from '../../../components/ui/toaster.js';
import { fieldsOfSchema } from '../schema-fields.js';
import { useSchemaDraft } from '../use-schema-draft.js';
import { fieldColumns } from './field-columns.js';
import { LeaveDialog } from './leave-dialog.js';
import { RemoveSchemaDialog } from './remove-schema-dialog.js';
import { SchemaAnswer } from './schema-answer.js';

type SchemaEditorProps = { database: string; collection: string; saved: object | null };

export function SchemaEditor({ database, collection, saved }: SchemaEditorProps) {
  const draft = useSchemaDraft(database, collection, saved);
  const [isRemoving, setIsRemoving] = useState(false);
  const textarea = useRef<HTMLTextAreaElement>(null);
  const { reading, problems, syntaxError, isDirty } = draft;
  const isBusy = draft.isChecking || draft.isSaving;
  const lines = syntaxError?.line ? [syntaxError.line] : problems.map(({ line }) => line);
  const save = (acceptFailing: boolean) => draft.save(acceptFailing, () => toastDone('The schema is saved'));

  return (
    <>
      <Panel
        title="Fields"
        description={isDirty ? 'As the text below says, which is not saved yet.' : undefined}
        isFlush
      >
        <DataTable
          label="Fields"
          isTall
          isStacked
          columns={fieldColumns}
          rows={fieldsOfSchema(reading.ok ? reading.value : saved)}
          rowKey={({ name }) => name}
          empty={<NoFields hasSchema={saved !== null} />}
        />
      </Panel>
      <Panel
        title="JSON Schema"
        description="2020-12, with fieldType, unique, default, autoIncrement, computed and collection beside it."
        actions={
          saved === null ? null : (
            <Button size="sm" variant="quiet" onClick={() => setIsRemoving(true)}>
              Remove schema
            </Button>
          )
        }
      >
        <div className="flex flex-col gap-3">
          <CodeEditor
            label="JSON Schema"
            isLabelHidden
            value={draft.text}
            minLines={12}
            maxLines={28}
            textarea={textarea}
            markedLines={new Set(lines)}
            error={syntaxError ? withLine(syntaxError) : undefined}
            onChange={draft.edit}
          />
          <div className="flex flex-wrap items-center gap-2">
            <Button variant="primary" isBusy={draft.isSaving} disabled={isBusy} onClick={() => save(false)}>
              Save
            </Button>
            <Button isBusy={draft.isChecking} disabled={isBusy} onClick={draft.check}>
              Check
            </Button>
            {isDirty ? (
              <Button variant="quiet" disabled={isBusy} onClick={draft.undo}>
                Undo changes
              </Button>
            ) : null}
            <p className="text-xs text-muted">Check holds the present documents to the text and changes nothing.</p>
          </div>
          <SchemaAnswer
            draft={draft}
            onShowLine={(line) => goToLine(textarea.current, line)}
            onSaveAnyway={() => save(true)}
          />
        </div>
      </Panel>
      <RemoveSchemaDialog
        database={database}
        collection={collection}
        isOpen={isRemoving}
        onClose={() => setIsRemoving(false)}
        onRemoved={draft.undo}
      />
      <LeaveDialog isDirty={isDirty} />
    </>
  );
}

function withLine({ message, line }: { message: string; line: number | null }): string {
  return line === null ? message : `${message} The mistake is in line ${line}.`;
}

function NoFields({ hasSchema }: { hasSchema: boolean }) {
  return hasSchema ? (
    <EmptyState icon={<Braces aria-hidden />} title="The schema names no field" />
  ) : (
    <EmptyState icon={<Braces aria-hidden />} title="No schema">
      <p>The collection takes any JSON object. Write a schema below to say which fields its documents have.</p>
    </EmptyState>
  );
}
