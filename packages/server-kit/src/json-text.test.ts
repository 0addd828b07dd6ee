import { Problem } from '@tidewire/protocol/problem';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseJsonText } from './json-text.js';

/** Code and place of the refusal; null when the text was taken. */
function refusal(text: string): { code: string; field: string | undefined } | null {
  try {
    parseJsonText(text);
    return null;
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    return { code: error.code, field: error.errors[0]?.field };
  }
}

describe('parseJsonText', () => {
  it('takes any JSON value and gives back what JSON.parse would', () => {
    fc.assert(
      fc.property(fc.json({ maxDepth: 6 }), (text) => {
        const expected: unknown = JSON.parse(text);
        if (!text.includes('__proto__')) expect(parseJsonText(text)).toEqual(expected);
      }),
    );
  });

  it.each([
    '',
    '  ',
    '{',
    '[1,]',
    '{"a":1,}',
    "{'a':1}",
    'NaN',
    'Infinity',
    '01',
    '1 2',
    '\ufeff{}',
    '{"a":\u0000}',
    '"\t"',
  ])('answers %j with invalid_json', (text) => expect(refusal(text)?.code).toBe('invalid_json'));

  it.each([
    ['{"a":"x\\u0000y"}', '/a'],
    ['{"a":[1,{"b/c~":"\\u0000"}]}', '/a/1/b~1c~0'],
    ['[{"a\\u0000":1}]', '/0'],
    ['"\\u0000"', ''],
    ['{"a":{"b":1},"c":["x",["y","\\ud800"]]}', '/c/1/1'],
    ['{"a":"\\udc00\\ud800"}', '/a'],
    ['{"a":"\\ud83d\\ud83d"}', '/a'],
    ['{"a":"\\ud83dx"}', '/a'],
    ['{"k\\udfff":"x"}', ''],
    ['{"a":1e400}', '/a'],
    ['[0,-1e999]', '/1'],
    ['{"a":1e-400}', '/a'],
    ['{"a":9007199254740993}', '/a'],
    ['{"a":-9007199254740993}', '/a'],
    ['{"a":113686837721616030000}', '/a'],
    ['{"a":{"__proto__":1}}', '/a'],
    ['{"__proto__":{"x":1}}', ''],
    ['{"a":[{"\\u005f_proto__":1}]}', '/a/0'],
    ['{"a":1,"a":1}', '/a'],
    ['{"a":{"b":1},"c":[0,{"é":1,"x":{"é":2},"\\u00e9":3}]}', '/c/1/é'],
    ['{"":1,"":{}}', '/'],
    [`{"${'k'.repeat(513)}":1}`, ''],
    [`{"${'é'.repeat(257)}":1}`, ''],
  ])('refuses %s with its place', (text, field) => {
    expect(refusal(text)).toEqual({ code: 'validation_failed', field });
  });

  it.each([
    '{"a":"\\ud83d\\ude00"}',
    '{"a":"😀"}',
    '{"a":"\\\\u0000"}',
    '{"a":"\\\\\\\\u0000"}',
    '{"a":9007199254740992,"b":1e22,"c":10000000000000000000000,"d":-0,"e":0e5,"f":0.1e-7}',
    '[113686837721616020000,-1152921504606846976,1000000000000000000000000]',
    '{"constructor":1,"prototype":2,"proto":3}',
    `{"${'k'.repeat(512)}":1}`,
    `{"${'é'.repeat(256)}":1}`,
    '[[],{},[{}],"",null,true,false]',
    '{"a":{"a":[{"a":1},{"a":2}]},"b":{"a":{}}}',
  ])('takes %s', (text) => expect(parseJsonText(text)).toEqual(JSON.parse(text)));

  it('takes 64 levels and no more, and 100,000 do not overflow the stack', () => {
    expect(refusal('['.repeat(64) + ']'.repeat(64))).toBeNull();
    for (const depth of [65, 10_000, 100_000]) {
      expect(refusal('['.repeat(depth) + ']'.repeat(depth))?.code).toBe('validation_failed');
      expect(refusal(`${'{"a":'.repeat(depth)}1${'}'.repeat(depth)}`)?.code).toBe('validation_failed');
    }
    expect(refusal('['.repeat(100_000))?.code).toBe('invalid_json');
  });

  it('takes 10,000 keys in an object and no more', () => {
    const object = (keys: number) =>
      `{${Array.from({ length: keys }, (_, index) => `"k${index}":${index}`).join(',')}}`;
    expect(refusal(object(10_000))).toBeNull();
    expect(refusal(`[1,${object(10_001)}]`)).toEqual({ code: 'validation_failed', field: '/1' });
    expect(refusal(`[${Array.from({ length: 20_000 }, () => '1').join(',')}]`)).toBeNull();
  });

  it('leaves no state behind after a refusal', () => {
    expect(refusal('{"a":{"b":[1,2,"\\u0000"]}}')?.field).toBe('/a/b/2');
    expect(parseJsonText('[{"a":1},2]')).toEqual([{ a: 1 }, 2]);
    expect(refusal('[3,"\\u0000"]')?.field).toBe('/1');
  });

  it('needs time in proportion to the text, not more, for a megabyte of keys', () => {
    const text = `[${Array.from({ length: 100_000 }, () => '{"k":""}').join(',')}]`;
    const startedAt = performance.now();
    parseJsonText(text);
    expect(performance.now() - startedAt).toBeLessThan(1_000);
  });
});
