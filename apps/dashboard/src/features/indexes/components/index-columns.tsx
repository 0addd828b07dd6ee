import type { IndexAnswer, IndexState } from '@tidewire/protocol/collection-schema';
import { Trash2 } from 'lucide-react';
import { type Column, stackedLabel } from '../../../components/data-table/data-table.js';
import { Badge, type Tone } from '../../../components/ui/badge.js';
import { Button } from '../../../components/ui/button.js';
import { Chip } from '../../../components/ui/chip.js';
import { IconButton } from '../../../components/ui/icon-button.js';
import { ProgressBar } from '../../../components/ui/progress-bar.js';
import { formatBytes } from '../../../lib/format.js';

type IndexActions = { onDrop: (index: IndexAnswer) => void; onShowDoubles: (index: IndexAnswer) => void };

export function indexColumns({ onDrop, onShowDoubles }: IndexActions): Column<IndexAnswer>[] {
  return [
    {
      id: 'name',
      header: 'Name',
      className: 'min-w-36 max-w-64',
      stacked: 'max-md:order-1 max-md:flex-1 max-md:basis-48',
      cell: ({ name, isOfSchema }) => (
        <div className="flex min-w-0 flex-col gap-0.5">
          <span className="font-medium break-words">{name}</span>
          {isOfSchema ? <span className="text-xs text-muted">belongs to the schema</span> : null}
        </div>
      ),
    },
    {
      id: 'covers',
      header: 'Covers',
      className: 'min-w-48 max-w-96',
      stacked: 'max-md:order-3 max-md:basis-full',
      cell: (index) => <Covered {...index} />,
    },
    {
      id: 'state',
      header: 'State',
      className: 'min-w-48 max-w-80',
      stacked: 'max-md:order-4 max-md:basis-full',
      cell: (index) => <State index={index} onShowDoubles={() => onShowDoubles(index)} />,
    },
    {
      id: 'size',
      header: 'Size',
      className: 'w-px text-right whitespace-nowrap',
      stacked: `max-md:order-5 max-md:text-xs ${stackedLabel}`,
      cell: ({ sizeBytes }) => formatBytes(sizeBytes),
    },
    {
      id: 'actions',
      header: <span className="sr-only">Actions</span>,
      className: 'w-px',
      stacked: 'max-md:order-2 max-md:-mr-2',
      cell: (index) => (
        <div className="-my-1 flex justify-end">
          <IconButton
            label={index.isOfSchema ? `${index.name} goes with the schema's "unique"` : `Drop ${index.name}`}
            disabled={index.isOfSchema || index.state === 'dropping'}
            onClick={() => onDrop(index)}
            className="hover:text-delete!"
          >
            <Trash2 aria-hidden />
          </IconButton>
        </div>
      ),
    },
  ];
}

function Covered({ definition }: IndexAnswer) {
  if ('text' in definition)
    return (
      <span className="inline-flex flex-wrap items-center gap-1.5">
        <Badge tone="publish">text</Badge>
        <span className="text-sm text-muted">the words of whole documents</span>
      </span>
    );
  const { fields, unique, where } = definition;
  return (
    <div className="flex min-w-0 flex-col gap-1.5">
      <span className="inline-flex flex-wrap items-center gap-1">
        {fields.map((field) => (
          <Chip key={field} text={field} />
        ))}
        {unique ? <Badge tone="accent">unique</Badge> : null}
        {where === null ? null : <Badge tone="put">partial</Badge>}
      </span>
      {where === null ? null : <code className="text-xs break-words text-muted">where {JSON.stringify(where)}</code>}
    </div>
  );
}

const states: Record<IndexState, { tone: Tone; text: string }> = {
  ready: { tone: 'post', text: 'Ready' },
  building: { tone: 'accent', text: 'Building' },
  failed: { tone: 'delete', text: 'Failed' },
  dropping: { tone: 'neutral', text: 'Dropping' },
};

function State({ index, onShowDoubles }: { index: IndexAnswer; onShowDoubles: () => void }) {
  const { name, state, progress, error } = index;
  const { tone, text } = states[state];
  return (
    <div className="flex min-w-0 flex-col items-start gap-1.5">
      <Badge tone={tone}>{text}</Badge>
      {progress ? (
        <ProgressBar
          label={`Building ${name}`}
          value={Math.round(progress.progress * 100)}
          max={100}
          text={`${Math.round(progress.progress * 100)} %, ${progress.phase}`}
        />
      ) : null}
      {error ? <p className="text-sm break-words text-delete">{error.message}</p> : null}
      {error?.documents && error.documents.length > 0 ? (
        <Button size="sm" aria-label={`Show the documents of ${name} that share a value`} onClick={onShowDoubles}>
          Show the documents
        </Button>
      ) : null}
    </div>
  );
}
