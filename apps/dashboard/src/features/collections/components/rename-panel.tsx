import { Link } from '@tanstack/react-router';
import { type RenamedCollectionAnswer, renameCollectionRequestSchema } from '@tidewire/protocol/admin-api';
import { CircleCheck } from 'lucide-react';
import { Button } from '../../../components/ui/button.js';
import { ErrorNote } from '../../../components/ui/error-state.js';
import { Field } from '../../../components/ui/field.js';
import { Panel } from '../../../components/ui/panel.js';
import { checkedSubmit } from '../../../lib/form/checked-submit.js';
import { useSchemaForm } from '../../../lib/form/use-schema-form.js';
import { useRenameCollection } from '../rename-collection.js';

/** A rename that has just been carried out. */
export type Renamed = RenamedCollectionAnswer & { from: string };

type RenamePanelProps = {
  database: string;
  collection: string;
  renamed: Renamed | null;
  onRenamed: (renamed: Renamed) => void;
};

export function RenamePanel({ database, collection, renamed, onRenamed }: RenamePanelProps) {
  const form = useSchemaForm(renameCollectionRequestSchema, { name: collection });
  const rename = useRenameCollection(database, collection);
  const isSame = form.values.name === collection;

  const submit = checkedSubmit(form, (request) =>
    rename.mutate(request.name, {
      onSuccess: (answer) => onRenamed({ ...answer, from: collection }),
      onError: form.takeRefusal,
    }),
  );

  return (
    <Panel title="Name">
      <form noValidate onSubmit={submit} className="flex flex-col gap-3">
        <div className="flex flex-wrap items-end gap-2">
          <Field
            label="Name of the collection"
            name="name"
            autoComplete="off"
            autoCapitalize="off"
            spellCheck={false}
            maxLength={63}
            value={form.values.name}
            error={form.errors.name}
            onChange={(event) => form.set('name', event.target.value)}
            className="min-w-0 flex-1 basis-60"
          />
          <Button
            type="submit"
            isBusy={rename.isPending}
            disabled={isSame}
            className={form.errors.name && 'self-center'}
          >
            Rename
          </Button>
        </div>
        <p className="max-w-[80ch] text-sm text-muted">
          Documents and their ids stay. Keys, roles with their rules, and schemas that name the collection do not
          follow: they are listed when it is done.
        </p>
        {rename.error ? <ErrorNote error={rename.error} /> : null}
        {renamed?.name === collection ? <WhatDoesNotFollow database={database} renamed={renamed} /> : null}
      </form>
    </Panel>
  );
}

function WhatDoesNotFollow({ database, renamed }: { database: string; renamed: Renamed }) {
  const { from, name, keys, roles, schemas } = renamed;
  return (
    <div role="status" className="rounded-md border border-line bg-post-soft px-3 py-2.5 text-sm">
      <p className="flex items-center gap-2 font-medium [&_svg]:size-4 [&_svg]:text-post">
        <CircleCheck aria-hidden />
        {from} is called {name} now.
      </p>
      {keys.length + roles.length + schemas.length === 0 ? (
        <p className="mt-1 text-muted">No key, no role and no other schema names {from}.</p>
      ) : (
        <div className="mt-2 flex flex-col gap-2">
          {keys.length > 0 ? (
            <div>
              <p>
                These keys still name {from}, and cannot use {name} by it:
              </p>
              <ul className="mt-1 list-disc pl-5">
                {keys.map((key) => (
                  <li key={key.id}>{key.name}</li>
                ))}
              </ul>
              <Link
                to="/db/$database/keys"
                params={{ database }}
                className="mt-1 inline-block rounded-xs text-accent-text underline underline-offset-3"
              >
                Change them
              </Link>
            </div>
          ) : null}
          {roles.length > 0 ? (
            <div>
              <p>
                These roles still name {from}. Their rules do not bind {name}:
              </p>
              <ul className="mt-1 list-disc pl-5">
                {roles.map(({ name: role, grants, hasRule }) => (
                  <li key={role}>
                    {role}
                    {grants.length > 0 ? (
                      <>
                        {' '}
                        by <code className="text-xs">{grants.join(', ')}</code>
                      </>
                    ) : null}
                    {hasRule ? `${grants.length > 0 ? ', and' : ''} by a rule` : null}
                  </li>
                ))}
              </ul>
              <Link
                to="/db/$database/roles"
                params={{ database }}
                className="mt-1 inline-block rounded-xs text-accent-text underline underline-offset-3"
              >
                Change them
              </Link>
            </div>
          ) : null}
          {schemas.length > 0 ? (
            <div>
              <p>These schemas still refer to {from}:</p>
              <ul className="mt-1 list-disc pl-5">
                {schemas.map(({ collection, fields }) => (
                  <li key={collection}>
                    <Link
                      to="/db/$database/collections/$collection/schema"
                      params={{ database, collection }}
                      className="rounded-xs text-accent-text underline underline-offset-3"
                    >
                      {collection}
                    </Link>{' '}
                    in <code className="text-xs">{fields.join(', ')}</code>
                  </li>
                ))}
              </ul>
            </div>
          ) : null}
        </div>
      )}
    </div>
  );
}
