import type { z } from 'zod';
import { UsageError } from './exit.js';

/** The request that a command's words mean. Throws a `UsageError` that names each field that is wrong. */
export function parseRequest<S extends z.ZodType>(schema: S, value: unknown): z.infer<S> {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw new UsageError(parsed.error.issues.map(({ path, message }) => `${path.join('/')}: ${message}`).join('\n'));
}
