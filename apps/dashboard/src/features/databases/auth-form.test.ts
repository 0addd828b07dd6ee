import { authSettingsSchema } from '@tidewire/protocol/auth-settings';
import { expect, it } from 'vitest';
import { fieldsOfAuth, parseAuthFields } from './auth-form.js';

it('makes of the fields of settings those same settings again', () => {
  const auth = authSettingsSchema.parse({
    issuer: 'https://issuer.example/',
    audience: 'shop',
    algorithms: ['RS256', 'ES256'],
    origins: ['https://app.example', '*'],
    defaultRole: 'member',
  });
  const { signUp: _, ...rest } = auth;
  expect(parseAuthFields(fieldsOfAuth(auth))).toEqual({ ok: true, changes: rest });
});

it('names the fields that are wrong', () => {
  const fields = fieldsOfAuth(authSettingsSchema.parse({}));
  const wrong = {
    ...fields,
    algorithms: 'HS256, RS256',
    jwksUrl: 'ftp://x',
    origins: 'app.example',
    issuer: 'tidewire',
  };
  const parsed = parseAuthFields(wrong);
  expect(parsed.ok ? [] : Object.keys(parsed.errors).sort()).toEqual(['algorithms', 'issuer', 'jwksUrl', 'origins']);
});
