import type { SchemaCheck } from '@tidewire/protocol/collection-schema';
import type { ProblemField } from '@tidewire/protocol/problem';
import { useMemo, useState } from 'react';
import { ApiError } from '../../lib/api-error.js';
import { findJsonPlaces, lineOf, nearestPlace, readJson } from '../../lib/json-places.js';
import { prettyJson } from '../../lib/json-tokens.js';
import { useCheckSchema } from './check-schema.js';
import { failingOf, useSaveSchema } from './save-schema.js';

/** Where a schema begins that nobody has written yet. */
const beginning = prettyJson({ type: 'object', required: [], properties: {} });

/** A mistake of the schema and the line where it is. */
export type PlacedProblem = ProblemField & { line: number };
export type SchemaOutcome = { kind: 'checked' | 'refused' | 'saved'; check: SchemaCheck };

/** The text of a schema while it is written, and what came of the last try to check or save it. An edit forgets what came of it. */
export function useSchemaDraft(database: string, collection: string, saved: object | null) {
  const start = saved === null ? beginning : prettyJson(saved);
  const [draft, setDraft] = useState<string | null>(null);
  const [hasTried, setHasTried] = useState(false);
  const check = useCheckSchema(database, collection);
  const save = useSaveSchema(database, collection);
  const text = draft ?? start;
  const reading = useMemo(() => readJson(text), [text]);
  const error = check.error ?? save.error;
  const problems = useMemo(() => (reading.ok ? placeProblems(text, error) : []), [reading, text, error]);
  const refused = failingOf(save.error);

  function forget() {
    check.reset();
    save.reset();
  }

  return {
    text,
    reading,
    isDirty: draft !== null && draft !== start,
    /** A mistake of the JSON itself, once it was tried to send it. */
    syntaxError: hasTried && !reading.ok ? reading : null,
    problems,
    outcome: outcomeOf(check.data, refused, save.data),
    /** A refusal that is neither about the schema's text nor about the documents. */
    error: refused === null && problems.length === 0 ? error : null,
    isChecking: check.isPending,
    isSaving: save.isPending,
    edit(next: string) {
      setDraft(next);
      forget();
    },
    undo() {
      setDraft(null);
      setHasTried(false);
      forget();
    },
    check() {
      setHasTried(true);
      save.reset();
      if (reading.ok) check.mutate(text);
    },
    save(acceptFailing: boolean, onSaved: () => void) {
      setHasTried(true);
      check.reset();
      if (!reading.ok) return;
      const onSuccess = () => {
        setDraft(null);
        onSaved();
      };
      save.mutate({ text, acceptFailing }, { onSuccess });
    },
  };
}

export type SchemaDraft = ReturnType<typeof useSchemaDraft>;

function outcomeOf(
  checked: SchemaCheck | undefined,
  refused: SchemaCheck | null,
  saved: SchemaCheck | undefined,
): SchemaOutcome | null {
  if (refused !== null) return { kind: 'refused', check: refused };
  if (saved !== undefined) return { kind: 'saved', check: saved };
  return checked === undefined ? null : { kind: 'checked', check: checked };
}

function placeProblems(text: string, error: unknown): PlacedProblem[] {
  if (!(error instanceof ApiError) || error.code !== 'validation_failed') return [];
  const places = findJsonPlaces(text);
  return error.fields.map((problem) => ({ ...problem, line: lineOf(text, nearestPlace(places, problem.field)) }));
}
