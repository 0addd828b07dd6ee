import type { ApiKeyAnswer, CreateKeyRequest } from '@tidewire/protocol/admin-api';
import { createKeyRequestSchema } from '@tidewire/protocol/admin-api';
import type { GrantKind } from '@tidewire/protocol/channel';
import { useState } from 'react';
import { ApiError } from '../../lib/api-error.js';
import { explainIssues, type FieldErrors, fieldsOfProblem } from '../../lib/form/field-errors.js';
import { createGrantEditor, type GrantEditor, settleGrants } from './grant-editor.js';
import { expiryDraftOf, readExpiry } from './key-expiry.js';
import { type OriginEditor, settleOrigins } from './origin-editor.js';

type KeyFields = {
  name: string;
  rest: GrantEditor;
  listen: GrantEditor;
  publish: GrantEditor;
  origins: OriginEditor;
  /** As typed. */
  expiry: string;
  rateLimit: string;
};
type KeyStart = Pick<ApiKeyAnswer, 'name' | 'rest' | 'listen' | 'publish' | 'origins' | 'expiresAt' | 'rateLimit'>;

const nothing: KeyStart = {
  name: '',
  rest: [],
  listen: [],
  publish: [],
  origins: [],
  expiresAt: null,
  rateLimit: null,
};

function fieldsOf(key: KeyStart): KeyFields {
  return {
    name: key.name,
    rest: createGrantEditor('rest', key.rest),
    listen: createGrantEditor('listen', key.listen),
    publish: createGrantEditor('publish', key.publish),
    origins: { origins: key.origins, draft: '' },
    expiry: expiryDraftOf(key.expiresAt),
    rateLimit: key.rateLimit === null ? '' : String(key.rateLimit),
  };
}

const rateLimitRule = 'Enter a whole number from 1 to 1,000,000, or nothing for any number.';

/** The form of a key, for a new one and for one that is edited. What is still being typed in a list counts when it is sent. */
export function useKeyForm(start: KeyStart = nothing) {
  const [fields, setFields] = useState(() => fieldsOf(start));
  const [hasTried, setHasTried] = useState(false);
  const [serverErrors, setServerErrors] = useState<FieldErrors>({});

  const request = {
    name: fields.name,
    rest: settleGrants(fields.rest),
    listen: settleGrants(fields.listen),
    publish: settleGrants(fields.publish),
    origins: settleOrigins(fields.origins),
    expiresAt: readExpiry(fields.expiry, start.expiresAt),
    rateLimit: fields.rateLimit === '' ? null : Number(fields.rateLimit),
  };
  const parsed = createKeyRequestSchema.safeParse(request);
  const issues = hasTried && !parsed.success ? parsed.error.issues : [];
  const nameErrors = explainIssues(issues.filter(({ path }) => path[0] === 'name'));
  const errors: FieldErrors = {
    ...serverErrors,
    ...nameErrors,
    ...(issues.some(({ path }) => path[0] === 'rateLimit') ? { rateLimit: rateLimitRule } : {}),
  };

  return {
    fields,
    hasTried,
    /** Mistakes of the name and of the rate limit, and those that the server found. A list explains its own unfinished entry. */
    errors,
    setName: (name: string) => {
      setFields((before) => ({ ...before, name }));
      setServerErrors(({ name: _, ...others }) => others);
    },
    setGrants: (kind: GrantKind, editor: GrantEditor) => setFields((before) => ({ ...before, [kind]: editor })),
    setOrigins: (origins: OriginEditor) => setFields((before) => ({ ...before, origins })),
    setText: (field: 'expiry' | 'rateLimit', text: string) => {
      setFields((before) => ({ ...before, [field]: text }));
      setServerErrors(({ expiresAt: _, rateLimit: __, ...others }) => others);
    },
    /** The request, or null when something is wrong (and then shown). */
    check(): CreateKeyRequest | null {
      setHasTried(true);
      return parsed.success ? parsed.data : null;
    },
    takeRefusal: (error: unknown) => setServerErrors(error instanceof ApiError ? fieldsOfProblem(error.fields) : {}),
  };
}

export type KeyForm = ReturnType<typeof useKeyForm>;
