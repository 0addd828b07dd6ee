/** What is wrong with each field of a form, in words: from a schema before sending, from a problem after it. */
import type { ProblemField } from '@tidewire/protocol/problem';
import type { z } from 'zod';

/** Field name → message. Fields without a mistake are absent. */
export type FieldErrors = Readonly<Record<string, string>>;

/** The first mistake of each top-level field. */
export function explainIssues(issues: readonly z.core.$ZodIssue[]): FieldErrors {
  const errors: Record<string, string> = {};
  for (const issue of issues) {
    const field = String(issue.path[0] ?? '');
    errors[field] ??= explainIssue(issue);
  }
  return errors;
}

function explainIssue(issue: z.core.$ZodIssue): string {
  switch (issue.code) {
    case 'too_small':
      if (issue.minimum === 1) return 'Enter something here.';
      return `Use at least ${issue.minimum} characters.`;
    case 'too_big':
      return `Use at most ${issue.maximum} ${issue.origin === 'array' ? 'entries' : 'characters'}.`;
    case 'invalid_format':
      if (issue.format === 'email') return 'Enter an e-mail address, as in ada@example.com.';
      // The protocol's own words begin so; zod's would show a pattern.
      return issue.message.startsWith('not ') ? `This is ${issue.message}.` : 'This has not the right form.';
    default:
      return issue.message;
  }
}

/** The server's mistakes by field: `/name` and `name` both mean the field `name`, and `/rest/0` the field `rest`. */
export function fieldsOfProblem(fields: readonly ProblemField[]): FieldErrors {
  const errors: Record<string, string> = {};
  for (const { field, message, allowed } of fields) {
    const name = field.replace(/^\//, '').split('/')[0] ?? '';
    errors[name] ??= allowed ? `${message} (allowed: ${allowed})` : message;
  }
  return errors;
}
