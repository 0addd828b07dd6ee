import { ArrowRight } from 'lucide-react';
import type { ReactNode } from 'react';
import { type Column, stackedLabel } from '../../../components/data-table/data-table.js';
import { Badge } from '../../../components/ui/badge.js';
import type { SchemaField } from '../schema-fields.js';

const labelled = `${stackedLabel} max-md:has-[[data-none]]:hidden`;

export const fieldColumns: readonly Column<SchemaField>[] = [
  {
    id: 'name',
    header: 'Field',
    className: 'max-w-64 min-w-32',
    stacked: 'max-md:basis-full',
    cell: ({ name }) => <code className="text-xs font-medium break-words text-text">{name}</code>,
  },
  {
    id: 'type',
    header: 'Type',
    className: 'min-w-28',
    stacked: labelled,
    cell: ({ type }) => <span className="text-sm">{type}</span>,
  },
  {
    id: 'rules',
    header: 'Rules',
    className: 'min-w-28',
    stacked: labelled,
    cell: ({ isRequired, isUnique }) =>
      isRequired || isUnique ? (
        <span className="inline-flex flex-wrap gap-1">
          {isRequired ? <Badge tone="put">required</Badge> : null}
          {isUnique ? <Badge tone="accent">unique</Badge> : null}
        </span>
      ) : (
        <None />
      ),
  },
  {
    id: 'default',
    header: 'Default',
    className: 'max-w-48',
    stacked: labelled,
    cell: ({ defaultText }) => (defaultText === null ? <None /> : <Code>{defaultText}</Code>),
  },
  {
    id: 'counting',
    header: 'Auto-increment',
    className: 'min-w-28',
    stacked: labelled,
    cell: ({ autoIncrement }) => autoIncrement ?? <None />,
  },
  {
    id: 'computed',
    header: 'Computed',
    className: 'max-w-72',
    stacked: labelled,
    cell: ({ computed }) => (computed === null ? <None /> : <Code>{computed}</Code>),
  },
  {
    id: 'relation',
    header: 'Relation',
    className: 'max-w-48',
    stacked: labelled,
    cell: ({ relation }) =>
      relation === null ? (
        <None />
      ) : (
        <span className="inline-flex max-w-full items-center gap-1 [&_svg]:size-3.5 [&_svg]:text-faint">
          <ArrowRight aria-hidden />
          <span className="min-w-0 truncate" title={relation.collection}>
            {relation.isChild ? 'children in ' : ''}
            {relation.collection}
          </span>
        </span>
      ),
  },
];

function Code({ children }: { children: ReactNode }) {
  return <code className="text-xs break-words">{children}</code>;
}

function None() {
  return (
    <span data-none className="text-faint">
      <span aria-hidden>–</span>
      <span className="sr-only">none</span>
    </span>
  );
}
