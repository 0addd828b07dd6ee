import type { DatabaseAnswer } from '@tidewire/protocol/admin-api';
import { type FormEvent, useState } from 'react';
import { Button } from '../../../components/ui/button.js';
import { ErrorNote } from '../../../components/ui/error-state.js';
import { Field } from '../../../components/ui/field.js';
import { toastDone } from '../../../components/ui/toaster.js';
import { formatBytes, formatCount } from '../../../lib/format.js';
import { fieldsOfLimits, type LimitFields, limitRule, parseLimits } from '../log-limits.js';
import { useUpdateSettings } from '../update-settings.js';

const fieldTexts: Record<keyof LimitFields, { label: string; hint: string }> = {
  days: { label: 'Keep days', hint: 'What happened longer ago goes.' },
  mebibytes: { label: 'Keep MiB', hint: 'On disk, about.' },
  events: { label: 'Keep events', hint: 'The newest so many.' },
};

/** How far the event log reaches, and how much of it is kept. */
export function LogPanel({ database }: { database: DatabaseAnswer }) {
  return (
    <div className="flex flex-col gap-5">
      <LogReach database={database} />
      {/* Begun anew when the limits were changed elsewhere. */}
      <LogLimits key={JSON.stringify(database.settings.log)} database={database} />
    </div>
  );
}

function LogReach({ database: { head, oldest, bytes } }: { database: DatabaseAnswer }) {
  const facts = [
    ['Oldest event', head < oldest ? 'none' : formatCount(oldest)],
    ['Newest event', head === 0 ? 'none' : formatCount(head)],
    ['Size, about', bytes === null ? 'not counted yet' : formatBytes(bytes)],
  ] as const;
  return (
    <dl className="flex flex-wrap gap-x-10 gap-y-3 text-sm">
      {facts.map(([name, value]) => (
        <div key={name}>
          <dt className="text-muted">{name}</dt>
          <dd className="mt-0.5 font-medium tabular-nums">{value}</dd>
        </div>
      ))}
    </dl>
  );
}

function LogLimits({ database }: { database: DatabaseAnswer }) {
  const update = useUpdateSettings(database.name);
  const [fields, setFields] = useState(() => fieldsOfLimits(database.settings.log));
  const [hasTried, setHasTried] = useState(false);
  const parsed = parseLimits(fields, database.settings.log);
  const wrong = hasTried && !parsed.ok ? parsed.wrong : [];

  function save(event: FormEvent) {
    event.preventDefault();
    setHasTried(true);
    if (parsed.ok)
      update.mutate({ log: parsed.patch }, { onSuccess: () => toastDone('The limits of the log are set') });
  }

  return (
    <form onSubmit={save} noValidate className="flex flex-col gap-4">
      <div className="flex max-w-[68ch] flex-col gap-1.5 text-sm text-muted">
        <p>
          What is beyond any of these limits is deleted within a minute or two, the oldest first, and cannot be brought
          back. Empty fields keep everything. Events of the last minute always stay.
        </p>
        <p>
          Streams that come back from before the oldest event are told so, and the history of documents ends there.
          Documents themselves stay as they are.
        </p>
      </div>
      <div className="grid gap-4 sm:grid-cols-3">
        {(['days', 'mebibytes', 'events'] as const).map((name) => (
          <Field
            key={name}
            {...fieldTexts[name]}
            inputMode="numeric"
            placeholder="No limit"
            autoComplete="off"
            value={fields[name]}
            error={wrong.includes(name) ? `This must be ${limitRule(name)}.` : undefined}
            onChange={({ target }) => setFields((before) => ({ ...before, [name]: target.value }))}
          />
        ))}
      </div>
      {update.error ? <ErrorNote error={update.error} /> : null}
      <div>
        <Button type="submit" isBusy={update.isPending}>
          Save limits
        </Button>
      </div>
    </form>
  );
}
