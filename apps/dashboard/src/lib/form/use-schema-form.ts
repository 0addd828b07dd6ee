import { useState } from 'react';
import type { z } from 'zod';
import { ApiError } from '../api-error.js';
import { explainIssues, type FieldErrors, fieldsOfProblem } from './field-errors.js';

/**
 * The state of a form whose schema is the protocol's. Mistakes show after the first try to send, then follow the typing;
 * those of the server stay until their field is changed.
 */
export function useSchemaForm<S extends z.ZodType>(schema: S, initial: z.input<S> & Record<string, unknown>) {
  const [values, setValues] = useState(initial);
  const [hasTried, setHasTried] = useState(false);
  const [serverErrors, setServerErrors] = useState<FieldErrors>({});
  const parsed = schema.safeParse(values);
  const ownErrors = hasTried && !parsed.success ? explainIssues(parsed.error.issues) : {};
  const errors: FieldErrors = { ...serverErrors, ...ownErrors };

  function set<K extends keyof typeof initial & string>(field: K, value: (typeof initial)[K]) {
    setValues((before) => ({ ...before, [field]: value }));
    setServerErrors(({ [field]: _, ...others }) => others);
  }

  return {
    values,
    set,
    errors,
    /** The parsed request, or null when something is wrong (and then shown). */
    check(): z.output<S> | null {
      setHasTried(true);
      return parsed.success ? parsed.data : null;
    },
    /** Puts the server's mistakes to their fields. */
    takeRefusal(error: unknown) {
      setServerErrors(error instanceof ApiError ? fieldsOfProblem(error.fields) : {});
    },
  };
}
