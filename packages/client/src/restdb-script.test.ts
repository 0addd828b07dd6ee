import { Script } from 'node:vm';
import { expect, it } from 'vitest';
import { writeRestdbDocumentation } from './restdb-documentation.js';
import { propertiesOf, writeRestdbScript } from './restdb-script.js';

it('is a script that parses, ends with the collections of the key, and names no other server', () => {
  const text = writeRestdbScript({ collections: ['company', 'system_jobs'], isOpen: false });
  expect(() => new Script(text)).not.toThrow();
  expect(text).toContain('"name":"system_jobs","property":"systemjobs"');
  expect(text.trimEnd().endsWith('"isOpen":false});')).toBe(true);
  expect(text).not.toMatch(/https?:\/\//);
});

it('leaves _ and - out of the properties, and gives a property that two names want to the exact one', () => {
  expect(propertiesOf(['system_jobs', 'a-b', 'ab', 'c_d', 'c-d'])).toEqual([
    { name: 'system_jobs', property: 'systemjobs' },
    { name: 'ab', property: 'ab' },
    { name: 'c_d', property: 'cd' },
  ]);
});

it('is documented on a page without any script, in which nothing that it is given can be markup', () => {
  const page = writeRestdbDocumentation({
    url: 'http://x"><script>alert(1)</script>',
    collections: ['company'],
    isOpen: false,
  });
  expect(page).not.toMatch(/<script|<link|<img|\son\w+=|javascript:/i);
  expect(page).toContain('db.company.find');
});
