import { useEffect, useRef } from 'react';
import { Button } from '../../../components/ui/button.js';
import { ErrorNote } from '../../../components/ui/error-state.js';
import type { SchemaDraft } from '../use-schema-draft.js';
import { CheckResult } from './check-result.js';
import { SchemaProblems } from './schema-problems.js';

type SchemaAnswerProps = { draft: SchemaDraft; onShowLine: (line: number) => void; onSaveAnyway: () => void };

/** What came of the last try to check or save; it comes into sight when it is there. */
export function SchemaAnswer({ draft, onShowLine, onSaveAnyway }: SchemaAnswerProps) {
  const { error, problems, outcome, isSaving } = draft;
  const frame = useRef<HTMLDivElement>(null);
  const isThere = outcome !== null || problems.length > 0 || Boolean(error);
  useEffect(() => {
    if (isThere) frame.current?.scrollIntoView({ block: 'nearest' });
  }, [isThere]);
  const isRefused = outcome?.kind === 'refused';
  return (
    <div ref={frame} className="flex scroll-mb-6 flex-col gap-3 empty:hidden">
      {error ? <ErrorNote error={error} /> : null}
      {problems.length > 0 ? <SchemaProblems problems={problems} onShow={onShowLine} /> : null}
      {outcome ? (
        <CheckResult
          {...outcome}
          action={
            isRefused ? (
              <Button size="sm" isBusy={isSaving} onClick={onSaveAnyway}>
                Save anyway
              </Button>
            ) : null
          }
        />
      ) : null}
      {isRefused ? (
        <p className="text-xs text-muted">
          Saved anyway, these documents stay as they are. The next change of each is refused unless it makes it fit.
        </p>
      ) : null}
    </div>
  );
}
