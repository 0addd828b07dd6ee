import { expect, it } from 'vitest';
import { scrubSecrets } from './scrub-secrets.js';

const key = `tw_Abcdefgh1234_${'x'.repeat(38)}`;
const jwt = `eyJhbGciOiJIUzI1NiJ9.${Buffer.from('{"sub":"a"}').toString('base64url')}.c2lnbmF0dXJl`;

it.each([
  [`no key ${key} here`, 'no key tw_Abcdefgh1234_[secret] here'],
  [`tk_${'y'.repeat(32)}`, 'tk_[secret]'],
  ['whsec_c2VjcmV0', 'whsec_[secret]'],
  [`token ${jwt}.`, 'token [secret].'],
  ['postgresql://ada:hunter2@db:5432/x', 'postgresql://ada:[secret]@db:5432/x'],
  ['redis://:hunter2@cache:6379', 'redis://:[secret]@cache:6379'],
  ['authorization: Bearer abc.def', 'authorization: Bearer [secret]'],
  ['GET /realtime?apikey=abc&ticket=def', 'GET /realtime?apikey=[secret]&ticket=[secret]'],
  ['cookie: tidewire_session=abc; x=1', 'cookie: tidewire_session=[secret]; x=1'],
  ['{"msg":"password=hunter2"}', '{"msg":"password=[secret]"}'],
])('takes the secret out of %j', (text, expected) => expect(scrubSecrets(text)).toBe(expected));

it.each(['tw_abc', 'a key of a document', 'https://app.example/path@x', '{"token":null}', 'Bearer'])(
  'leaves %j as it is',
  (text) => expect(scrubSecrets(text)).toBe(text),
);

it('keeps a line of JSON a line of JSON, whatever stands in it', () => {
  const secrets = [key, jwt, 'Bearer a\\"b', 'password=a"b', 'postgres://a:b"c@d', `apikey=${key}`];
  for (const secret of secrets) {
    const line = JSON.stringify({ msg: secret, err: { stack: `Error: ${secret}\n  at ${secret}` } });
    expect(() => JSON.parse(scrubSecrets(line))).not.toThrow();
  }
});
