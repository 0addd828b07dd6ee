/** Bodies and parameters of the admin API, parsed with the protocol's schemas. */
import type { IncomingMessage } from 'node:http';
import { Problem, type ProblemField } from '@tidewire/protocol/problem';
import { readJsonBody } from '@tidewire/server-kit/json-body';
import type { z } from 'zod';

/** The body of the request in the schema's type. Throws `validation_failed` that names each wrong field and what is allowed there. */
export async function readInput<S extends z.ZodType>(request: IncomingMessage, schema: S): Promise<z.infer<S>> {
  const parsed = schema.safeParse(await readJsonBody(request));
  if (parsed.success) return parsed.data;
  const errors = parsed.error.issues.flatMap((issue) => toFields(issue, schema)).slice(0, 20);
  const detail = errors.map(
    ({ field, message, allowed }) => `${field || 'body'}: ${message}${allowed ? ` (allowed: ${allowed})` : ''}`,
  );
  throw new Problem('validation_failed', detail.join('; '), { errors });
}

function toFields(issue: z.core.$ZodIssue, schema: z.ZodType): ProblemField[] {
  if (issue.code !== 'unrecognized_keys') return [{ field: pointer(issue.path), message: issue.message }];
  const allowed = fieldsAt(schema, issue.path).join(', ');
  return issue.keys.map((key) => ({
    field: pointer([...issue.path, key]),
    message: 'this field is not known here',
    ...(allowed === '' ? {} : { allowed }),
  }));
}

/** The fields of the object schema at a path. */
function fieldsAt(schema: unknown, path: readonly PropertyKey[]): string[] {
  const shape = shapeOf(schema);
  const [first, ...rest] = path;
  return first === undefined ? Object.keys(shape) : fieldsAt(shape[String(first)], rest);
}

/** The shape of an object schema, also behind `optional()` and `default()`. */
function shapeOf(schema: unknown): Record<string, unknown> {
  if (typeof schema !== 'object' || schema === null) return {};
  if ('shape' in schema) return schema.shape as Record<string, unknown>;
  return 'unwrap' in schema && typeof schema.unwrap === 'function' ? shapeOf(schema.unwrap()) : {};
}

function pointer(path: readonly PropertyKey[]): string {
  return path.map((token) => `/${String(token).slice(0, 100).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');
}

/** The part of a request's URL behind `?`, or ''. */
export function queryOf({ url = '' }: IncomingMessage): string {
  const start = url.indexOf('?');
  return start < 0 ? '' : url.slice(start + 1);
}
