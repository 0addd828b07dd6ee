import type { JsonObject, JsonValue } from '@tidewire/protocol/json';
import { describe, expect, it } from 'vitest';
import { ExpressionError, parseExpression } from './expression.js';
import { schemaLimits } from './schema-limits.js';

const evaluate = (text: string, fields: JsonObject = {}, names: string[] = []): JsonValue =>
  parseExpression(text, names).evaluate(fields);

describe('an expression', () => {
  it.each<[string, JsonObject, JsonValue]>([
    ['price * quantity', { price: 2.5, quantity: 3 }, 7.5],
    ['price * 2 + 1', { price: 2.5 }, 6],
    ['10 / n', { n: 4 }, 2.5],
    ['n % 3', { n: 10 }, 1],
    ['n == 3 && n in [1, 2, 3]', { n: 3 }, true],
    ['first + " " + last', { first: 'Anna', last: 'Berg' }, 'Anna Berg'],
    ['upper.upperAscii().trim()', { upper: ' a ' }, 'A'],
    ['tags.join(", ")', { tags: ['a', 'b'] }, 'a, b'],
    ['size(tags) > 1 ? "many" : "few"', { tags: ['a', 'b'] }, 'many'],
    ['discount == null ? price : price - discount', { price: 3 }, 3],
    ['has(document.a) ? 1 : 2', {}, 2],
    ['document["first-name"]', { 'first-name': 'x' }, 'x'],
    ['sum(lines, "total")', { lines: [{ total: 1.5 }, { total: 2 }] }, 3.5],
    ['round(1.005, 2)', {}, 1.01],
    ['max(a, 3) + min(a, 3) + abs(a)', { a: -1 }, 3],
    ['timestamp(day).getFullYear()', { day: '2026-03-01T10:00:00Z' }, 2026],
    ['timestamp(day)', { day: '2026-03-01T10:00:00Z' }, '2026-03-01T10:00:00.000Z'],
    ['[a, {"b": a}]', { a: 1 }, [1, { b: 1 }]],
    ['null', {}, null],
  ])('%s of %j is %j', (text, fields, expected) => {
    expect(evaluate(text, fields, ['discount', 'price'])).toEqual(expected);
  });

  it.each<[string, JsonObject]>([
    ['a * 2', { a: 'x' }],
    ['missing + 1', {}],
    ['1 / 0', {}],
    ['n / 0', { n: 1 }],
    ['document.missing', {}],
    ['constructor', {}],
    ['document.constructor', {}],
    ['document["__proto__"]', {}],
    ['int(n)', { n: 1e300 }],
    ['9007199254740993', {}],
    ['bool', {}],
  ])('%s of %j has no value, and says why', (text, fields) => {
    expect(() => evaluate(text, fields)).toThrow(ExpressionError);
  });

  it.each([
    ['1 +'],
    [''],
    ['"a".matches("(a+)+$")'],
    ['list.map(x, x)'],
    ['list.all(x, x)'],
    ['list.filter(x, x)'],
    ['list.exists(x, x)'],
    ['list.exists_one(x, x)'],
    ['cel.bind(a, 1, a)'],
    ['text.split("")'],
    ['[text].join(text)'],
    ['[text].join("12345678901234567")'],
    ['bytes("a")'],
    ['b"{}".json()'],
    ['"a" - "b"'],
    [`${'('.repeat(30)}1${')'.repeat(30)}${' + 1'.repeat(200)}`],
    [`"${'x'.repeat(schemaLimits.expressionLength)}"`],
  ])('%s is refused before any document comes', (text) => {
    expect(() => parseExpression(text, [])).toThrow(ExpressionError);
  });

  it('looks at no more than its bound of what the fields hold', () => {
    const long = 'x'.repeat(schemaLimits.expressionInput);
    expect(() => evaluate('a + "!"', { a: long })).toThrow('the fields that it names hold more than');
    expect(evaluate('b', { a: long, b: 1 })).toBe(1);
    expect(evaluate('document.b', { a: long, b: 1 })).toBe(1);
    expect(() => evaluate('size(document)', { a: long, b: 1 })).toThrow('the fields that it names hold more than');
  });

  it('gives no text beyond its bound', () => {
    const half = 'x'.repeat(40_000);
    expect(() => evaluate('a + a', { a: half })).toThrow('it gives a text of more than');
  });
});
