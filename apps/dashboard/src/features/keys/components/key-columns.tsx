import { type ApiKeyAnswer, type KeyState, keyStateOf } from '@tidewire/protocol/admin-api';
import { Ban, Ellipsis, Pencil, Power, PowerOff, RotateCw } from 'lucide-react';
import { type Column, stackedLabel } from '../../../components/data-table/data-table.js';
import { Badge, type Tone } from '../../../components/ui/badge.js';
import { Chip } from '../../../components/ui/chip.js';
import { IconButton, iconButtonClasses } from '../../../components/ui/icon-button.js';
import { Menu, MenuItem } from '../../../components/ui/menu.js';
import { Ago } from '../../../components/ui/time.js';
import { Tooltip } from '../../../components/ui/tooltip.js';
import { formatCount } from '../../../lib/format.js';

type OnKey = (key: ApiKeyAnswer) => void;
type KeyActions = { onEdit: OnKey; onRevoke: OnKey; onRotate: OnKey; onSwitchOff: OnKey; onSwitchOn: OnKey };

const states: Record<KeyState, { tone: Tone; word: string }> = {
  good: { tone: 'post', word: 'Active' },
  disabled: { tone: 'put', word: 'Switched off' },
  expired: { tone: 'delete', word: 'Expired' },
  revoked: { tone: 'delete', word: 'Revoked' },
};

/** `now`: milliseconds since the epoch, for what a key is just now. */
export function keyColumns({ now, ...actions }: KeyActions & { now: number }): Column<ApiKeyAnswer>[] {
  return [
    {
      id: 'name',
      header: 'Name',
      className: 'min-w-36 max-w-64',
      stacked: 'max-md:order-1 max-md:flex-1 max-md:basis-48',
      cell: ({ name, prefix, kind }) => (
        <div className="flex min-w-0 flex-col gap-0.5">
          <span className="font-medium break-words">{name}</span>
          <span className="text-xs text-muted">
            <code>{prefix}…</code> <span className="whitespace-nowrap">{kind} key</span>
          </span>
        </div>
      ),
    },
    {
      id: 'grants',
      header: 'Grants',
      className: 'min-w-64',
      stacked: 'max-md:order-3 max-md:basis-full',
      cell: (key) => <Grants apiKey={key} />,
    },
    {
      id: 'origins',
      header: 'Origins',
      className: 'max-w-48 min-w-32',
      stacked: `max-md:order-4 max-md:basis-full ${stackedLabel}`,
      cell: (key) =>
        key.origins.length === 0 ? (
          <span className="text-xs text-faint">no web page</span>
        ) : (
          <Chips entries={key.origins} isFaded={keyStateOf(key, now) !== 'good'} />
        ),
    },
    {
      id: 'streams',
      header: 'Streams',
      className: 'w-px text-right tabular-nums',
      stacked: `max-md:order-6 max-md:text-xs ${stackedLabel}`,
      cell: ({ openStreams }) => (openStreams === 0 ? <span className="text-faint">0</span> : formatCount(openStreams)),
    },
    {
      id: 'used',
      header: 'Last used',
      className: 'w-px text-muted',
      stacked: `max-md:order-7 max-md:text-xs ${stackedLabel}`,
      cell: ({ lastUsedAt }) =>
        lastUsedAt === null ? <span className="text-faint">never</span> : <Ago at={lastUsedAt} />,
    },
    {
      id: 'state',
      header: 'State',
      className: 'w-px',
      stacked: 'max-md:order-5',
      cell: (key) => <State apiKey={key} now={now} />,
    },
    {
      id: 'actions',
      header: <span className="sr-only">Actions</span>,
      className: 'w-px',
      stacked: 'max-md:order-2 max-md:-mr-2',
      cell: (key) => <Actions apiKey={key} {...actions} />,
    },
  ];
}

function Actions({ apiKey, ...actions }: KeyActions & { apiKey: ApiKeyAnswer }) {
  const isRevoked = apiKey.revokedAt !== null;
  const label = `More for ${apiKey.name}`;
  return (
    <div className="-my-1 flex justify-end">
      <IconButton label={`Edit ${apiKey.name}`} disabled={isRevoked} onClick={() => actions.onEdit(apiKey)}>
        <Pencil aria-hidden />
      </IconButton>
      <IconButton
        label={`Revoke ${apiKey.name}`}
        disabled={isRevoked}
        onClick={() => actions.onRevoke(apiKey)}
        className="hover:text-delete!"
      >
        <Ban aria-hidden />
      </IconButton>
      <Menu
        trigger={
          <button type="button" aria-label={label} title={label} disabled={isRevoked} className={iconButtonClasses}>
            <Ellipsis aria-hidden />
          </button>
        }
      >
        <MenuItem icon={<RotateCw aria-hidden />} onClick={() => actions.onRotate(apiKey)}>
          Rotate
        </MenuItem>
        {apiKey.disabledAt === null ? (
          <MenuItem icon={<PowerOff aria-hidden />} onClick={() => actions.onSwitchOff(apiKey)}>
            Switch off
          </MenuItem>
        ) : (
          <MenuItem icon={<Power aria-hidden />} onClick={() => actions.onSwitchOn(apiKey)}>
            Switch on
          </MenuItem>
        )}
      </Menu>
    </div>
  );
}

/** What the key is now, and below it what is about to end. */
function State({ apiKey, now }: { apiKey: ApiKeyAnswer; now: number }) {
  const state = keyStateOf(apiKey, now);
  const { tone, word } = states[state];
  const { expiresAt, previousUntil, rateLimit } = apiKey;
  const isEnding = state === 'good' || state === 'disabled';
  return (
    <div className="flex flex-col items-start gap-1 text-2xs whitespace-nowrap text-muted">
      <Badge tone={tone}>{word}</Badge>
      {isEnding && expiresAt !== null ? (
        <span>
          expires <Ago at={expiresAt} />
        </span>
      ) : null}
      {isEnding && previousUntil !== null ? (
        <span>
          old text ends <Ago at={previousUntil} />
        </span>
      ) : null}
      {isEnding && rateLimit !== null ? <span>{formatCount(rateLimit)} a minute</span> : null}
    </div>
  );
}

function Grants({ apiKey }: { apiKey: ApiKeyAnswer }) {
  const lists = [
    { label: 'REST', entries: apiKey.rest },
    { label: 'Listen', entries: apiKey.listen },
    { label: 'Publish', entries: apiKey.publish },
  ].filter(({ entries }) => entries.length > 0);
  if (lists.length === 0) return <span className="text-xs text-faint">nothing granted</span>;
  return (
    <dl className="grid grid-cols-[3rem_minmax(0,1fr)] gap-x-2 gap-y-1">
      {lists.map(({ label, entries }) => (
        <div key={label} className="contents">
          <dt className="text-2xs leading-5.5 text-faint">{label}</dt>
          <dd>
            <Chips entries={entries} isFaded={apiKey.revokedAt !== null} />
          </dd>
        </div>
      ))}
    </dl>
  );
}

const shownChips = 4;

function Chips({ entries, isFaded }: { entries: readonly string[]; isFaded: boolean }) {
  const rest = entries.slice(shownChips);
  return (
    <ul className="flex flex-wrap gap-1">
      {entries.slice(0, shownChips).map((entry) => (
        <li key={entry} className="flex max-w-full min-w-0">
          <Chip text={entry} isFaded={isFaded} />
        </li>
      ))}
      {rest.length > 0 ? (
        <li>
          <Tooltip text={rest.join(', ')}>
            <button
              type="button"
              aria-label={`${rest.length} more: ${rest.join(', ')}`}
              className="h-5.5 rounded-xs px-1.5 text-2xs text-muted hover:bg-hover"
            >
              +{rest.length}
            </button>
          </Tooltip>
        </li>
      ) : null}
    </ul>
  );
}
