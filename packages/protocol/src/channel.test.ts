import { describe, expect, it } from 'vitest';
import { allowsListen, allowsPublish, allowsRest, type GrantKind, parseGrant } from './channel.js';

/** What is near `POST:company` and is no grant at all, in any list. */
const noGrants = [
  '',
  ' ',
  ':',
  'POST',
  'POST:',
  ':company',
  'post:company',
  'Post:company',
  'POST:company ',
  ' POST:company',
  'POST: company',
  'POST :company',
  'POST:company\n',
  'POST:company\u0000',
  'POST:comp%61ny',
  'POST:company/../x',
  'POST:../company',
  'POST:company.',
  'POST:.company',
  'POST:company/',
  'POST:company?x=1',
  'POST:company#x',
  'POST:company:x',
  'POST:com*',
  'POST:*company',
  'POST:**',
  'POST,PUT:company',
  'POST|PUT:company',
  'HEAD:company',
  'OPTIONS:company',
  'TRACE:company',
  'POST:ｃompany',
  'POST:сompany',
  'POST:compañy',
  'POST:company\u200b',
  'POST:\u202ecompany',
  'POST:_company',
  'POST:-company',
  'POST:1company',
  `POST:${'c'.repeat(64)}`,
  'POST:company,POST:other',
  '["POST:company"]',
  '*:com*',
  'PＯST:company',
];

describe('a grant (class A8)', () => {
  it('is refused where it is no grant in so many words: there are as many spellings', () =>
    expect(noGrants.length).toBeGreaterThanOrEqual(44));

  it.each(noGrants)('is not %j', (text) => {
    for (const kind of ['rest', 'listen'] satisfies GrantKind[]) expect(parseGrant(kind, text)).toBeNull();
  });

  it.each(['', ' GOAL', 'GOAL ', 'GO*', '*.x', 'chat.**', 'chat*', '.*', 'GO AL', 'GOAL\n', '9GOAL', 'гоал'])(
    'to publish is not %j',
    (text) => expect(parseGrant('publish', text)).toBeNull(),
  );

  it.each([
    'companyx',
    'xcompany',
    'Company',
    'COMPANY',
    'company ',
    'company.',
    'comp%61ny',
    'company/../x',
    'сompany',
    '',
    '*',
    '__proto__',
    'constructor',
  ])('for company is none for %j', (collection) => {
    const grants = ['POST:company', 'POST:co', 'PUBLISH:company'];
    expect(allowsRest(grants, 'POST', collection)).toBe(false);
    expect(allowsListen(grants, 'post', collection)).toBe(false);
  });

  it('for one method is none for another, and * of a method or of a collection is all of that', () => {
    for (const method of ['GET', 'PUT', 'PATCH', 'DELETE'] as const)
      expect(allowsRest(['POST:company'], method, 'company')).toBe(false);
    expect(allowsRest(['*:company'], 'DELETE', 'company')).toBe(true);
    expect(allowsRest(['*:company'], 'DELETE', 'companyx')).toBe(false);
    expect(allowsRest(['POST:*'], 'POST', 'anything')).toBe(true);
    expect(allowsRest(['POST:*'], 'GET', 'anything')).toBe(false);
  });

  it('of a prefix covers what is below it, and nothing beside it', () => {
    for (const name of ['chat', 'chatx', 'chatx.y', 'Chat.y', 'xchat.y'])
      expect(allowsPublish(['chat.*'], name)).toBe(false);
    for (const name of ['chat.y', 'chat.y.z']) expect(allowsPublish(['chat.*'], name)).toBe(true);
    expect(allowsListen(['PUBLISH:chat.*'], 'publish', 'chat')).toBe(false);
    expect(allowsListen(['POST:*'], 'publish', 'GOAL')).toBe(false);
  });

  it('among ten thousand others is found, and what they do not name is not', () => {
    const grants = Array.from({ length: 10_000 }, (_, n) => `POST:c${n}`);
    expect(allowsRest(grants, 'POST', 'c9999')).toBe(true);
    expect(allowsRest(grants, 'POST', 'c10000')).toBe(false);
    expect(allowsRest(grants, 'POST', 'c')).toBe(false);
  });
});
