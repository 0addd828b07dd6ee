import type { SchemaCheck } from '@tidewire/protocol/collection-schema';
import { CircleCheck, TriangleAlert } from 'lucide-react';
import type { ReactNode } from 'react';
import { type Column, DataTable } from '../../../components/data-table/data-table.js';
import { classes } from '../../../components/ui/classes.js';
import { formatAmount, formatCount } from '../../../lib/format.js';

type FailingDocument = SchemaCheck['failing'][number];

const columns: readonly Column<FailingDocument>[] = [
  {
    id: '_id',
    header: 'Document',
    className: 'w-px',
    stacked: 'max-md:basis-full',
    cell: ({ _id }) => <code className="text-xs whitespace-nowrap select-all">{_id}</code>,
  },
  {
    id: 'errors',
    header: 'What is wrong',
    stacked: 'max-md:basis-full',
    cell: ({ errors }) => (
      <ul className="flex flex-col gap-1">
        {errors.map(({ field, message, allowed }) => (
          <li key={`${field} ${message}`} className="text-sm">
            <code className="mr-1.5 rounded-xs bg-sunken px-1 py-0.5 text-xs text-delete">
              {field || 'the document'}
            </code>
            {message}
            {allowed ? <span className="text-muted"> (allowed: {allowed})</span> : null}
          </li>
        ))}
      </ul>
    ),
  },
];

type CheckResultProps = {
  check: SchemaCheck;
  /** What the check was for: its own sake, or a try to save that was refused or went through. */
  kind: 'checked' | 'refused' | 'saved';
  /** What can be done about it. */
  action?: ReactNode;
};

/** How many documents were held to the schema, and those that fail it. */
export function CheckResult({ check, kind, action }: CheckResultProps) {
  const { failingCount, failing } = check;
  const isGood = failingCount === 0;
  const Icon = isGood ? CircleCheck : TriangleAlert;
  return (
    <section aria-label="Documents and the schema" className="overflow-hidden rounded-md border border-line">
      <div
        role={kind === 'refused' ? 'alert' : 'status'}
        className={classes(
          'flex flex-wrap items-center justify-between gap-x-4 gap-y-2 px-4 py-2.5 text-sm',
          isGood ? 'bg-post-soft' : kind === 'refused' ? 'bg-delete-soft' : 'bg-put-soft',
        )}
      >
        <p className="flex min-w-0 items-start gap-2">
          <Icon
            aria-hidden
            className={classes(
              'mt-0.5 size-4 shrink-0',
              isGood ? 'text-post' : kind === 'refused' ? 'text-delete' : 'text-put',
            )}
          />
          <span>
            {words(check, kind)}
            {failing.length < failingCount ? ` The first ${formatCount(failing.length)} are listed.` : ''}
          </span>
        </p>
        {action}
      </div>
      {isGood ? null : (
        <div
          // biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls must be reachable by keyboard
          tabIndex={0}
          role="region"
          aria-label="Failing documents"
          className="max-h-96 overflow-y-auto border-t border-line outline-offset-[-2px]"
        >
          <DataTable
            label="Documents that fail the schema"
            isTall
            isStacked
            columns={columns}
            rows={failing}
            rowKey={({ _id }) => _id}
            empty={null}
          />
        </div>
      )}
    </section>
  );
}

function words({ checked, failingCount }: SchemaCheck, kind: CheckResultProps['kind']): string {
  const documents = formatAmount(checked, 'document');
  if (failingCount === 0) {
    const verdict = checked === 0 ? 'There is no document yet.' : `${documents} checked: all of them fit.`;
    return kind === 'saved' ? `Saved. ${verdict}` : verdict;
  }
  const share = `${formatCount(failingCount)} of ${documents}`;
  if (kind === 'refused') return `Not saved: ${share} would fail this schema.`;
  if (kind === 'saved') return `Saved. ${share} do not fit: they stay as they are until they are next changed.`;
  return `${share} would fail this schema.`;
}
