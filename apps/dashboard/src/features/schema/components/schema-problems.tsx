import { TriangleAlert } from 'lucide-react';
import { formatAmount } from '../../../lib/format.js';
import type { PlacedProblem } from '../use-schema-draft.js';

type SchemaProblemsProps = { problems: readonly PlacedProblem[]; onShow: (line: number) => void };

/** What the server finds wrong with the schema itself, each with the way to its line. */
export function SchemaProblems({ problems, onShow }: SchemaProblemsProps) {
  return (
    <section
      role="alert"
      aria-label="Mistakes in the schema"
      className="rounded-md border border-delete/30 bg-delete-soft px-3 py-2.5 text-sm"
    >
      <p className="flex items-center gap-2 font-medium text-delete [&_svg]:size-4">
        <TriangleAlert aria-hidden />
        {formatAmount(problems.length, 'mistake')} in the schema
      </p>
      <ul className="mt-1.5 flex flex-col gap-1">
        {problems.map(({ field, message, allowed, line }) => (
          <li key={`${field} ${message}`} className="flex flex-wrap items-baseline gap-x-2">
            <button
              type="button"
              onClick={() => onShow(line)}
              className="rounded-xs text-xs font-medium whitespace-nowrap text-delete underline underline-offset-3"
            >
              Line {line}
            </button>
            <code className="text-xs break-all">{field || '/'}</code>
            <span className="min-w-0">
              {message}
              {allowed ? <span className="text-muted"> (allowed: {allowed})</span> : null}
            </span>
          </li>
        ))}
      </ul>
    </section>
  );
}
