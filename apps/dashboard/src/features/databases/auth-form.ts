/** The form of the section `auth` of the settings, as texts. */
import { type AuthChanges, type AuthSettings, authChangesSchema } from '@tidewire/protocol/auth-settings';
import { explainIssues, type FieldErrors } from '../../lib/form/field-errors.js';

/** Lists are written with commas; an empty text is none. */
export type AuthFields = Record<
  | 'issuer'
  | 'audience'
  | 'algorithms'
  | 'jwksUrl'
  | 'rolesFrom'
  | 'rolesClaim'
  | 'defaultRole'
  | 'userField'
  | 'origins'
  | 'clockToleranceSeconds',
  string
>;

export function fieldsOfAuth(auth: AuthSettings): AuthFields {
  return {
    issuer: auth.issuer ?? '',
    audience: auth.audience ?? '',
    algorithms: auth.algorithms.join(', '),
    jwksUrl: auth.jwksUrl ?? '',
    rolesFrom: auth.rolesFrom,
    rolesClaim: auth.rolesClaim,
    defaultRole: auth.defaultRole ?? '',
    userField: auth.userField,
    origins: auth.origins.join(', '),
    clockToleranceSeconds: String(auth.clockToleranceSeconds),
  };
}

/** The change, or what is wrong with each field. */
export function parseAuthFields(
  fields: AuthFields,
): { ok: true; changes: AuthChanges } | { ok: false; errors: FieldErrors } {
  const parsed = authChangesSchema.safeParse({
    ...fields,
    issuer: fields.issuer.trim() || null,
    audience: fields.audience.trim() || null,
    jwksUrl: fields.jwksUrl.trim() || null,
    defaultRole: fields.defaultRole.trim() || null,
    algorithms: listOf(fields.algorithms),
    origins: listOf(fields.origins),
    clockToleranceSeconds: Number(fields.clockToleranceSeconds),
  });
  return parsed.success
    ? { ok: true, changes: parsed.data }
    : { ok: false, errors: explainIssues(parsed.error.issues) };
}

function listOf(text: string): string[] {
  return text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '');
}
