import type { JsonObject, JsonValue } from '@tidewire/protocol/json';
import { Problem } from '@tidewire/protocol/problem';
import { describe, expect, it } from 'vitest';
import { type CompiledShape, compileShape } from './compile-shape.js';

const id = '577cf185e2039b0900000016';
const other = '577cf185e2039b0900000017';
const noNumbers = new Map<string, number>();

const shapeOf = (properties: JsonObject, more: JsonObject = {}) =>
  compileShape({ type: 'object', properties, ...more });
const create = (shape: CompiledShape, fields: JsonObject, numbers: ReadonlyMap<string, number> = noNumbers) =>
  shape.prepareNew(fields, { numbers, isValidated: true });
const change = (shape: CompiledShape, before: JsonObject, after: JsonObject, isReplaced = false) =>
  shape.prepareChanged(before, after, { isReplaced });

/** The refusal of the work: its fields with what is wrong and allowed there. */
function refusal(work: () => unknown): Problem {
  try {
    work();
  } catch (error) {
    if (error instanceof Problem) return error;
    throw error;
  }
  throw new Error('nothing was refused');
}
const fieldsOf = (work: () => unknown) => refusal(work).errors.map(({ field }) => field);

describe('a document', () => {
  it('that the schema allows is stored as it came, the same object', () => {
    const shape = shapeOf({ name: { fieldType: 'text' }, address: { type: 'object' } });
    const fields = { name: 'Anna', address: { city: 'Ulm' }, more: [1] };
    expect(create(shape, fields)).toBe(fields);
  });

  it('is refused with every failing field, by JSON Pointer, and what is allowed there', () => {
    const shape = shapeOf(
      {
        name: { fieldType: 'text', maxLength: 3 },
        age: { fieldType: 'number', minimum: 18 },
        color: { fieldType: 'option', enum: ['red', 'green'] },
        mail: { fieldType: 'email' },
        address: {
          type: 'object',
          properties: { city: { type: 'string' }, zip: { type: 'string', pattern: '^[0-9]{5}$' } },
          required: ['city'],
          additionalProperties: false,
        },
        tags: { type: 'array', items: { type: 'string', minLength: 2 } },
      },
      { required: ['name', 'title'] },
    );
    const { code, errors } = refusal(() =>
      create(shape, {
        name: 'Johanna',
        age: 3,
        color: 'blue',
        mail: 'a@',
        address: { zip: 'x', to: 1 },
        tags: ['ab', 'c', 3],
      }),
    );
    expect(code).toBe('validation_failed');
    expect(errors).toEqual([
      { field: '/title', message: 'missing field', word: 'REQUIRED' },
      { field: '/name', message: 'the text is too long', allowed: '3 characters or less' },
      { field: '/age', message: 'the number is too small', allowed: '18 or more' },
      { field: '/color', message: 'the value is none of the list', allowed: '"red", "green"' },
      { field: '/mail', message: 'the text has another form', allowed: 'an e-mail address' },
      { field: '/address/city', message: 'missing field', word: 'REQUIRED' },
      { field: '/address/zip', message: 'the text does not match', allowed: 'texts that match ^[0-9]{5}$' },
      { field: '/address/to', message: 'this field is not known here', allowed: 'city, zip' },
      { field: '/tags/1', message: 'the text is too short', allowed: '2 characters or more' },
      { field: '/tags/2', message: 'the value has another type', allowed: 'string' },
    ]);
  });

  it('with a million mistakes is refused with the first twenty', () => {
    const shape = shapeOf({ list: { type: 'array', items: { type: 'string' } } });
    expect(
      fieldsOf(() => create(shape, { list: Array.from({ length: 1_000_000 }, (_, index) => index) })),
    ).toHaveLength(20);
  });

  it('may carry fields of the server, which no schema looks at', () => {
    const shape = shapeOf({ name: { type: 'string' } }, { additionalProperties: false, maxProperties: 1 });
    const child = { name: 'a', _parent_id: id, _parent_def: 'company', _parent_field: 'people' };
    expect(create(shape, child)).toBe(child);
    expect(fieldsOf(() => create(shape, { ...child, more: 1 }))).toEqual(['/more']);
  });

  it('is not asked for its schema when it comes unvalidated; all else is done', () => {
    const shape = shapeOf(
      {
        n: { fieldType: 'number' },
        d: { default: 'x' },
        no: { fieldType: 'number', autoIncrement: true },
        sum: { computed: 'no + 1' },
      },
      { required: ['missing'] },
    );
    const numbers = new Map([['no', 7]]);
    expect(shape.prepareNew({ n: 'text' }, { numbers, isValidated: false })).toEqual({
      n: 'text',
      d: 'x',
      no: 7,
      sum: 8,
    });
  });

  it('does not take a name that every object has for one of its own', () => {
    const shape = shapeOf({ toString: { type: 'string' } }, { required: ['toString', 'constructor'] });
    expect(fieldsOf(() => create(shape, {}))).toEqual(['/toString', '/constructor']);
    expect(create(shapeOf({ valueOf: { type: 'number' }, hasOwnProperty: { default: 1 } }), {})).toEqual({
      hasOwnProperty: 1,
    });
  });
});

describe('a field of the type', () => {
  const cases: [string, JsonObject, JsonValue[], JsonValue[]][] = [
    ['text', {}, ['', 'a', '😀'], [1, {}, []]],
    ['richtext', {}, ['<b>a</b>'], [1]],
    ['email', {}, ['anna@example.com'], ['anna', 'a b@example.com', `${'a'.repeat(250)}@example.com`, 1]],
    ['number', {}, [0, -3, 1e15], [1.5, '1', true]],
    ['float', {}, [0, 1.5], ['1.5']],
    ['money', { multipleOf: 0.01 }, [19.99, 0.1, 1_234_567.89], [1.005, '1']],
    ['bool', {}, [true, false], ['true', 1]],
    ['date', {}, ['2026-03-01', '2026-03-01T10:00:00Z', '2024-02-29'], ['2026-02-29', '1.3.2026', 20260301]],
    ['datetime', {}, ['2026-03-01T10:00:00Z', '2026-03-01T10:00:00.123+02:00'], ['2026-03-01', '2026-03-01T25:00:00Z']],
    ['time', {}, ['10:00', '23:59:59', '10:00:00.5Z'], ['24:00', '10', 10]],
    ['option', { enum: ['a', 2] }, ['a', 2], ['b', '2']],
    ['json', {}, [1, 'a', { a: [] }, [null]], []],
    ['image', {}, [id, [id], [], { _id: id }], ['x', [id, other], 3]],
    ['images', {}, [id, [id, other]], [['x']]],
    ['file', {}, [[id]], [[id, id]]],
    ['files', {}, [[id, { _id: other }]], [[1]]],
    [
      'relation',
      { collection: 'company' },
      [id, { _id: id, name: 'a' }, [id], [], null],
      [[id, other], 'x', 3, { name: 'a' }, [{ _id: 'x' }]],
    ],
    ['relations', { collection: 'company' }, [[id, { _id: other, name: 'b' }], id], [['x'], [3], [{ _id: id }, {}]]],
  ];

  it.each(cases)('%s takes its values and no others', (fieldType, more, good, bad) => {
    const shape = shapeOf({ f: { fieldType, ...more } });
    for (const value of good) expect(() => create(shape, { f: value }), JSON.stringify(value)).not.toThrow();
    for (const value of bad) {
      const [field] = fieldsOf(() => create(shape, { f: value }));
      expect(field, JSON.stringify(value)).toMatch(/^\/f(\/|$)/);
    }
  });

  it.each(cases)('%s may be null and may be missing as long as it is not required', (fieldType, more) => {
    const properties = { f: { fieldType, ...more } };
    expect(() => create(shapeOf(properties), { f: null })).not.toThrow();
    expect(() => create(shapeOf(properties), {})).not.toThrow();
    expect(fieldsOf(() => create(shapeOf(properties, { required: ['f'] }), {}))).toEqual(['/f']);
  });

  it('relation and relations are stored as references, whatever form they came in', () => {
    const shape = shapeOf({
      one: { fieldType: 'relation', collection: 'company' },
      many: { fieldType: 'relations', collection: 'tags' },
    });
    const stored = { one: [{ _id: id }], many: [{ _id: id }, { _id: other }] };
    expect(create(shape, { one: id, many: [id, { _id: other, name: 'b', _version: 3 }] })).toEqual(stored);
    expect(create(shape, { one: { _id: id, name: 'a' }, many: [{ _id: id }, other] })).toEqual(stored);
    expect(create(shape, { one: null, many: null })).toEqual({ one: [], many: [] });
    expect(create(shape, stored)).toBe(stored);
    expect(change(shape, stored, { ...stored, one: [other] })).toEqual({ ...stored, one: [{ _id: other }] });
  });

  it('child is never stored', () => {
    const shape = shapeOf({ people: { fieldType: 'child', collection: 'person' }, name: {} });
    expect(create(shape, { people: [{ a: 1 }], name: 'a' })).toEqual({ name: 'a' });
    expect(change(shape, { name: 'a' }, { name: 'b', people: [] })).toEqual({ name: 'b' });
    expect(shape.check({ people: [] }).map(({ field }) => field)).toEqual(['/people']);
  });

  it('has to fit the keywords of JSON Schema beside it as well', () => {
    const shape = shapeOf({
      f: { fieldType: 'text', type: 'string', pattern: '^a' },
      d: { fieldType: 'date', format: 'date' },
    });
    expect(fieldsOf(() => create(shape, { f: 'b' }))).toEqual(['/f']);
    expect(fieldsOf(() => create(shape, { f: null }))).toEqual(['/f']);
    expect(fieldsOf(() => create(shape, { d: '2026-03-01T10:00:00Z' }))).toEqual(['/d']);
  });
});

describe('a default', () => {
  const shape = shapeOf({
    state: { fieldType: 'text', default: 'new' },
    off: { fieldType: 'bool', default: false },
    owner: { fieldType: 'relation', collection: 'users', default: id },
    address: {
      type: 'object',
      default: { lines: [] },
      properties: { land: { default: 'DE' }, more: { properties: { x: { default: 1 } } } },
    },
  });

  it('stands in a new document that comes without the field, and in objects that are there', () => {
    expect(create(shape, {})).toEqual({ state: 'new', off: false, owner: [{ _id: id }], address: { lines: [] } });
    expect(create(shape, { state: null, address: { more: {} } })).toEqual({
      state: null,
      off: false,
      owner: [{ _id: id }],
      address: { land: 'DE', more: { x: 1 } },
    });
  });

  it('stands in a replaced document, and not in a changed one', () => {
    expect(change(shape, {}, { state: 'old' }, true)).toMatchObject({ state: 'old', off: false });
    expect(change(shape, { state: 'new' }, { n: 1 })).toEqual({ n: 1 });
  });

  it('never changes what it was given, nor what is given next', () => {
    const fields = Object.freeze({ address: Object.freeze({ more: Object.freeze({}) }) });
    const first = create(shape, fields);
    expect(create(shape, fields)).toEqual(first);
  });

  it('that its own field refuses is refused with the schema', () => {
    expect(fieldsOf(() => shapeOf({ n: { fieldType: 'number', default: 'x' } }))).toEqual(['/properties/n/default']);
    expect(fieldsOf(() => shapeOf({ a: { properties: { b: { type: 'string', default: 1 } } } }))).toEqual([
      '/properties/a/properties/b/default',
    ]);
  });
});

describe('a number of the server', () => {
  const shape = shapeOf(
    { no: { fieldType: 'number', autoIncrement: { start: 10, step: 5 } }, n: {} },
    { required: ['no'] },
  );

  it('is what the lane gave, whatever the client sent', () => {
    expect(shape.counters).toEqual([{ field: 'no', start: 10, step: 5 }]);
    expect(create(shape, { no: 99, n: 1 }, new Map([['no', 15]]))).toEqual({ no: 15, n: 1 });
  });

  it('stays as it was in a change, and cannot be taken away', () => {
    expect(change(shape, { no: 15 }, { no: 16, n: 2 })).toEqual({ no: 15, n: 2 });
    expect(change(shape, { no: 15 }, { n: 2 })).toEqual({ no: 15, n: 2 });
    expect(change(shape, { no: 15 }, { n: 2 }, true)).toEqual({ no: 15, n: 2 });
  });
});

describe('a computed field', () => {
  const shape = shapeOf({
    price: { fieldType: 'money' },
    count: { fieldType: 'number', default: 1 },
    total: { fieldType: 'money', computed: 'price * count' },
    label: { computed: '"total: " + string(total)' },
  });

  it('is made with each write from the fields and the computed fields before it', () => {
    expect(create(shape, { price: 2.5, total: 9 })).toEqual({ price: 2.5, total: 2.5, count: 1, label: 'total: 2.5' });
    expect(change(shape, { price: 2.5 }, { price: 3, count: 2, label: 'mine' })).toEqual({
      price: 3,
      count: 2,
      total: 6,
      label: 'total: 6',
    });
  });

  it('without a value refuses the write, and names itself and the reason', () => {
    const { errors } = refusal(() => create(shape, { price: 'a' }));
    expect(errors.map(({ field }) => field)).toEqual(['/price', '/total', '/label']);
    expect(errors[1]?.message).toMatch(/^it cannot be computed: no such overload/);
  });

  it('has to fit its own type', () => {
    expect(fieldsOf(() => create(shapeOf({ n: { fieldType: 'number', computed: '"a"' } }), {}))).toEqual(['/n']);
  });

  it('with an expression that is none is refused with the schema', () => {
    expect(fieldsOf(() => shapeOf({ n: { computed: '1 +' } }))).toEqual(['/properties/n/computed']);
  });
});
