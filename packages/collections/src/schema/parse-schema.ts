/**
 * From the schema that an admin sends to one that documents can be held to within bounds: every keyword is known, every schema stands at a place that is looked at once for
 * each place of a document, nothing is recursive. So a check costs at most the schema's expanded size times the document's.
 */
import { type FieldType, fieldTypes } from '@tidewire/protocol/collection-schema';
import type { JsonObject, JsonValue } from '@tidewire/protocol/json';
import { collectionNamePattern, collectionNameRule } from '@tidewire/protocol/names';
import { invalidFields, type ProblemField, pointerTo } from '@tidewire/protocol/problem';
import { canDeclare } from '@tidewire/query/index-expression';
import { parsePattern } from '@tidewire/query/pattern';
import { reservedChildFields } from '../relation-fields.js';
import { fieldRules } from './field-types.js';
import { textFormats } from './formats.js';
import { schemaLimits } from './schema-limits.js';

/** What the server does with a root field, beside what JSON Schema says of it. */
export type FieldSpec = {
  name: string;
  fieldType: FieldType | null;
  isRequired: boolean;
  isUnique: boolean;
  autoIncrement: { start: number; step: number } | null;
  /** The text of the expression. */
  computed: string | null;
};

/** A schema that keeps within the bounds. `schema` is as it was given. */
export type ParsedSchema = { schema: JsonObject; fields: FieldSpec[] };

/** The dialect that a schema may name. */
export const schemaDialect = 'https://json-schema.org/draft/2020-12/schema';

/** Throws `validation_failed`, which names each wrong place by its JSON Pointer in the schema. */
export function parseSchema(value: JsonValue): ParsedSchema {
  const parser = new SchemaParser();
  const parsed = parser.parse(value);
  if (parsed === null || parser.problems.length > 0)
    throw invalidFields(parser.problems.slice(0, schemaLimits.problems));
  return parsed;
}

/** Where a schema stands. */
type Place = { at: string; kind: 'root' | 'root property' | 'inner'; depth: number };
type Check = (this: SchemaParser, value: JsonValue, at: string, place: Place, schema: JsonObject) => number;

const jsonTypes = ['null', 'boolean', 'object', 'array', 'number', 'string', 'integer'];
const definitionName = /^[A-Za-z0-9_.-]{1,64}$/;
const localReference = /^#\/\$defs\/([A-Za-z0-9_.-]{1,64})$/;

class SchemaParser {
  readonly problems: ProblemField[] = [];
  private definitions: JsonObject = {};
  /** Expanded size and depth of a definition; null while it is being looked at. */
  private readonly measures = new Map<string, { size: number; depth: number } | null>();
  /** How deep the schema reached below the place that is being looked at. */
  private deepest = 0;

  parse(value: JsonValue): ParsedSchema | null {
    if (!isObject(value)) return this.refuse('', 'a schema is a JSON object', '{"type":"object","properties":{…}}');
    const length = JSON.stringify(value).length;
    const { textLength, expandedSize } = schemaLimits;
    if (length > textLength) return this.refuse('', `the schema has ${length} characters`, `at most ${textLength}`);
    if (value.type !== 'object') return this.refuse('/type', 'documents are objects', '"type":"object"');
    if (isObject(value.$defs)) this.definitions = value.$defs;
    const size = this.schema(value, { at: '', kind: 'root', depth: 0 });
    if (size > expandedSize)
      this.refuse(
        '',
        `there are ${size} schemas in it, counting each $ref for what it names`,
        `at most ${expandedSize}`,
      );
    if (this.problems.length > 0) return null;
    return { schema: value, fields: this.fieldsOf(value) };
  }

  /** Notes a wrong place. */
  refuse(field: string, message: string, allowed: string): null {
    if (this.problems.length < schemaLimits.problems) this.problems.push({ field, message, allowed });
    return null;
  }

  /** Looks at a schema and returns how many there are in it, itself counted. */
  schema(value: JsonValue | undefined, place: Place): number {
    this.deepest = Math.max(this.deepest, place.depth);
    if (place.depth > schemaLimits.depth) {
      this.refuse(place.at, 'schemas stand in each other too deeply', `at most ${schemaLimits.depth} deep`);
      return 1;
    }
    if (typeof value === 'boolean') return 1;
    if (!isObject(value)) {
      this.refuse(place.at, 'this is no schema', 'an object, true or false');
      return 1;
    }
    let size = 1;
    for (const [keyword, operand] of Object.entries(value)) {
      const at = `${place.at}${pointerTo(keyword)}`;
      const check = checkOf(keyword, place.kind);
      if (check === null) this.unknown(keyword, at, place);
      else size += check.call(this, operand, at, place, value);
      if (this.problems.length >= schemaLimits.problems) break;
    }
    if (place.kind === 'root property') this.field(value, place);
    return size;
  }

  private unknown(keyword: string, at: string, { kind }: Place): void {
    if (fieldKeywords.has(keyword)) {
      this.refuse(at, `${keyword} stands at a property of the root alone`, 'one of the keywords of JSON Schema here');
    } else {
      const allowed = [...keywords.keys(), ...(kind === 'root property' ? fieldKeywords.keys() : [])];
      this.refuse(at, 'this keyword is not known', allowed.join(' '));
    }
  }

  /** The definition is looked at where it is used: as often as it is used, it counts. */
  reference(value: JsonValue, at: string, place: Place): number {
    const name = typeof value === 'string' ? localReference.exec(value)?.[1] : undefined;
    if (name === undefined || !Object.hasOwn(this.definitions, name)) {
      this.refuse(at, 'this names no definition of the schema', '#/$defs/ and the name of one of $defs');
      return 1;
    }
    const measure = this.definition(name, at);
    if (measure === null) return 1;
    const depth = place.depth + measure.depth;
    this.deepest = Math.max(this.deepest, depth);
    if (depth > schemaLimits.depth)
      this.refuse(
        at,
        'schemas stand in each other too deeply, with what $ref names',
        `at most ${schemaLimits.depth} deep`,
      );
    return measure.size;
  }

  /** Null when it is recursive, which is noted. */
  private definition(name: string, at: string): { size: number; depth: number } | null {
    const known = this.measures.get(name);
    if (known !== undefined) {
      if (known === null) this.refuse(at, `the definition ${name} holds itself`, 'definitions that end');
      return known;
    }
    this.measures.set(name, null);
    const before = this.deepest;
    this.deepest = 0;
    const size = this.schema(this.definitions[name], { at: `/$defs${pointerTo(name)}`, kind: 'inner', depth: 1 });
    const measure = { size: Math.min(size, Number.MAX_SAFE_INTEGER), depth: this.deepest };
    this.deepest = before;
    this.measures.set(name, measure);
    return measure;
  }

  /** What the keywords of a field say together. */
  private field(schema: JsonObject, { at }: Place): void {
    const { fieldType, unique, autoIncrement, computed } = schema;
    const type = isFieldType(fieldType) ? fieldType : null;
    const made = ['autoIncrement', 'computed', 'default'].filter((keyword) =>
      keyword === 'default' ? keyword in schema : isOn(schema[keyword]),
    );
    if (made.length > 1)
      this.refuse(`${at}/${made[0]}`, `${made.join(' and ')} both say where the value comes from`, 'one of them');
    if (type === 'option' && !('enum' in schema))
      this.refuse(`${at}/enum`, 'an option has a list of values', '"enum":["red","green"]');
    if (type === 'relation' || type === 'relations' || type === 'child') {
      if (schema.collection === undefined)
        this.refuse(`${at}/collection`, `a ${type} names the other collection`, collectionNameRule);
    } else if (schema.collection !== undefined)
      this.refuse(`${at}/collection`, 'this field refers to no collection', 'fieldType relation, relations or child');
    if (type === 'child' && (made.length > 0 || isOn(unique)))
      this.refuse(at, 'a child is never stored in its parent', 'fieldType, collection, title and description alone');
    if (unique === true && type !== null && !fieldRules[type].canBeUnique)
      this.refuse(`${at}/unique`, `a field of the type ${type} cannot be unique`, 'a text, number, date or option');
    if (isOn(autoIncrement) && type !== null && type !== 'number' && type !== 'float')
      this.refuse(`${at}/autoIncrement`, `a field of the type ${type} is no number`, 'fieldType number');
    if (computed !== undefined && type !== null && (type === 'relation' || type === 'relations'))
      this.refuse(`${at}/computed`, 'a relation is not computed', 'another field type');
  }

  private fieldsOf(schema: JsonObject): FieldSpec[] {
    const required = new Set(Array.isArray(schema.required) ? schema.required : []);
    const properties = isObject(schema.properties) ? schema.properties : {};
    const fields = Object.entries(properties).map(([name, value]): FieldSpec => {
      const { fieldType, unique, autoIncrement, computed } = isObject(value) ? value : {};
      return {
        name,
        fieldType: isFieldType(fieldType) ? fieldType : null,
        isRequired: required.has(name),
        isUnique: unique === true,
        autoIncrement: counterOf(autoIncrement),
        computed: typeof computed === 'string' ? computed : null,
      };
    });
    this.limit(fields, 'autoIncrement', schemaLimits.counters, ({ autoIncrement }) => autoIncrement !== null);
    this.limit(fields, 'computed', schemaLimits.computed, ({ computed }) => computed !== null);
    this.limit(fields, 'unique', schemaLimits.unique, ({ isUnique }) => isUnique);
    for (const { name, fieldType, isRequired } of fields) {
      if (fieldType !== 'child') continue;
      const at = `/properties${pointerTo(name)}`;
      if (isRequired) this.refuse(at, 'a child is never stored, so it cannot be required', 'not in required');
      if (reservedChildFields.has(name))
        this.refuse(at, 'a path of the API has this name', `none of ${[...reservedChildFields].join(' ')}`);
    }
    return fields;
  }

  private limit(fields: FieldSpec[], what: string, most: number, is: (field: FieldSpec) => boolean): void {
    const count = fields.filter(is).length;
    if (count > most) this.refuse('/properties', `${count} fields are ${what}`, `at most ${most}`);
  }
}

const noSize = (check: (this: SchemaParser, value: JsonValue, at: string, place: Place, schema: JsonObject) => void) =>
  function counted(this: SchemaParser, ...args: Parameters<Check>): number {
    check.apply(this, args);
    return 0;
  };
const mustBe = (is: (value: JsonValue) => boolean, allowed: string): Check =>
  noSize(function check(value, at) {
    if (!is(value)) this.refuse(at, 'the value does not fit the keyword', allowed);
  });

const isText = (value: JsonValue) => typeof value === 'string';
const isFlag = (value: JsonValue) => typeof value === 'boolean';
const isCount = (value: JsonValue) => typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
const isNumber = (value: JsonValue) => typeof value === 'number' && Number.isFinite(value);
const isNames = (value: JsonValue): value is string[] =>
  Array.isArray(value) && value.every(isText) && new Set(value).size === value.length;

const count = mustBe(isCount, 'a whole number, 0 or more');
const number = mustBe(isNumber, 'a number');
const note = mustBe(isText, 'a text');
const flag = mustBe(isFlag, 'true or false');

const inner: Check = function check(value, at, { depth }) {
  return this.schema(value, { at, kind: 'inner', depth: depth + 1 });
};
const innerList: Check = function check(value, at, { depth }) {
  if (!Array.isArray(value) || value.length === 0) {
    this.refuse(at, 'the value does not fit the keyword', 'an array of schemas');
    return 0;
  }
  return value.reduce<number>(
    (size, item, index) => size + this.schema(item, { at: `${at}/${index}`, kind: 'inner', depth: depth + 1 }),
    0,
  );
};
/** An object of schemas; `checkName` notes what is wrong with a name. */
const innerMap = (
  checkName: (this: SchemaParser, name: string, at: string, isOfRoot: boolean) => void,
  kindBelow: (kind: Place['kind']) => Place['kind'] = () => 'inner',
): Check =>
  function check(value, at, { kind, depth }) {
    if (!isObject(value)) {
      this.refuse(at, 'the value does not fit the keyword', 'an object of schemas');
      return 0;
    }
    let size = 0;
    for (const [name, item] of Object.entries(value)) {
      const place = `${at}${pointerTo(name)}`;
      checkName.call(this, name, place, kind === 'root');
      size += this.schema(item, { at: place, kind: kindBelow(kind), depth: depth + 1 });
    }
    return size;
  };

function checkPropertyName(this: SchemaParser, name: string, at: string, isOfRoot: boolean): void {
  const { nameLength } = schemaLimits;
  if (name.length > nameLength) this.refuse(at, 'the name is too long', `at most ${nameLength} characters`);
  if (name === '__proto__') this.refuse(at, 'no property can have this name', 'another name');
  else if (isOfRoot && (name.startsWith('_') || name.startsWith('$') || name === ''))
    this.refuse(at, 'names that begin with _ belong to the server, with $ to operators', 'names that begin otherwise');
}

function checkPattern(this: SchemaParser, source: string, at: string): void {
  const parsed = parsePattern(source, false);
  if (!parsed.ok) this.refuse(at, parsed.message, 'a regular expression as in $regex of the query language');
}

const onlyAtRoot = (check: Check): Check =>
  function atRoot(value, at, place, schema) {
    if (place.kind === 'root') return check.call(this, value, at, place, schema);
    this.refuse(at, 'this keyword stands at the root alone', 'at the root');
    return 0;
  };

/** Keywords of JSON Schema 2020-12 (core and validation) that a schema may have. */
const keywords: ReadonlyMap<string, Check> = new Map<string, Check>([
  ['$schema', onlyAtRoot(mustBe((value) => value === schemaDialect || value === `${schemaDialect}#`, schemaDialect))],
  ['$id', onlyAtRoot(note)],
  ['$comment', note],
  [
    '$defs',
    onlyAtRoot(function check(value, at) {
      if (!isObject(value)) this.refuse(at, 'the value does not fit the keyword', 'an object of schemas');
      else
        for (const name of Object.keys(value)) {
          const place = `${at}${pointerTo(name)}`;
          if (!definitionName.test(name) || name === '__proto__')
            this.refuse(place, 'a definition cannot have this name', 'at most 64 of A-Z a-z 0-9 _ . -');
          // Counted where they are used; looked at here for those that are not.
          else this.reference(`#/$defs/${name}`, place, { at: place, kind: 'inner', depth: 0 });
        }
      return 0;
    }),
  ],
  [
    '$ref',
    function check(value, at, place) {
      if (place.kind === 'inner' || place.kind === 'root property') return this.reference(value, at, place);
      this.refuse(at, 'the root is spelled out', 'type, properties and so on');
      return 0;
    },
  ],
  ['title', note],
  ['description', note],
  ['examples', mustBe(Array.isArray, 'an array')],
  ['deprecated', flag],
  ['readOnly', flag],
  ['writeOnly', flag],
  ['default', mustBe(() => true, '')],
  [
    'type',
    mustBe(
      (value) =>
        typeof value === 'string'
          ? jsonTypes.includes(value)
          : isNames(value) && value.length > 0 && value.every((type) => jsonTypes.includes(type)),
      `one of ${jsonTypes.join(' ')}, or an array of them`,
    ),
  ],
  ['enum', mustBe((value) => Array.isArray(value) && value.length > 0, 'an array of the values, at least one')],
  ['const', mustBe(() => true, '')],
  ['multipleOf', mustBe((value) => isNumber(value) && Number(value) > 0, 'a number above 0')],
  ['maximum', number],
  ['exclusiveMaximum', number],
  ['minimum', number],
  ['exclusiveMinimum', number],
  ['maxLength', count],
  ['minLength', count],
  [
    'pattern',
    noSize(function check(value, at) {
      if (typeof value === 'string') checkPattern.call(this, value, at);
      else this.refuse(at, 'the value does not fit the keyword', 'a regular expression as text');
    }),
  ],
  [
    'format',
    mustBe(
      (value) => typeof value === 'string' && Object.hasOwn(textFormats, value),
      Object.keys(textFormats).join(' '),
    ),
  ],
  ['maxItems', count],
  ['minItems', count],
  [
    'uniqueItems',
    noSize(function check(value, at, _place, schema) {
      const { uniqueItems } = schemaLimits;
      if (!isFlag(value)) this.refuse(at, 'the value does not fit the keyword', 'true or false');
      else if (value === true && !(isCount(schema.maxItems ?? null) && Number(schema.maxItems) <= uniqueItems))
        this.refuse(
          at,
          'items are compared with each other only in arrays with a bound',
          `maxItems of at most ${uniqueItems} beside it`,
        );
    }),
  ],
  ['items', inner],
  ['prefixItems', innerList],
  ['contains', inner],
  ['minContains', count],
  ['maxContains', count],
  ['unevaluatedItems', inner],
  ['properties', innerMap(checkPropertyName, (kind) => (kind === 'root' ? 'root property' : 'inner'))],
  ['patternProperties', innerMap(checkPattern)],
  ['additionalProperties', inner],
  ['unevaluatedProperties', inner],
  ['propertyNames', inner],
  ['maxProperties', count],
  ['minProperties', count],
  ['required', mustBe(isNames, 'an array of different names')],
  [
    'dependentRequired',
    mustBe((value) => isObject(value) && Object.values(value).every(isNames), 'an object of arrays of names'),
  ],
  ['dependentSchemas', innerMap(() => undefined)],
  ['allOf', innerList],
  ['anyOf', innerList],
  ['oneOf', innerList],
  ['not', inner],
  ['if', inner],
  ['then', inner],
  ['else', inner],
]);

/** Keywords of ours, at the root's properties alone; `collection-schema.ts` of the protocol says what they mean. */
const fieldKeywords: ReadonlyMap<string, Check> = new Map<string, Check>([
  ['fieldType', mustBe(isFieldType, fieldTypes.join(' '))],
  [
    'unique',
    noSize(function check(value, at) {
      if (!isFlag(value)) this.refuse(at, 'the value does not fit the keyword', 'true or false');
      else if (value === true && !canBeIndexed(at.slice('/properties/'.length, -'/unique'.length)))
        this.refuse(at, 'a field with this name cannot be unique', indexedNameRule);
    }),
  ],
  [
    'autoIncrement',
    mustBe(
      (value) => isFlag(value) || counterOf(value) !== null,
      'true, or {"start":1000,"step":1}: whole numbers, the step 1 or more',
    ),
  ],
  ['computed', mustBe(isText, 'an expression as text, as in "price * quantity"')],
  ['collection', mustBe((value) => typeof value === 'string' && collectionNamePattern.test(value), collectionNameRule)],
]);

/** The name of the field is part of the name of its index. */
const indexedNameRule = 'names of at most 50 of A-Z a-z 0-9 _ - without a digit in front';

function canBeIndexed(name: string): boolean {
  return name.length <= 50 && !name.includes('.') && canDeclare(name);
}

function checkOf(keyword: string, kind: Place['kind']): Check | null {
  return keywords.get(keyword) ?? (kind === 'root property' ? fieldKeywords.get(keyword) : undefined) ?? null;
}

function counterOf(value: JsonValue | undefined): { start: number; step: number } | null {
  if (value === true) return { start: 1, step: 1 };
  if (!isObject(value)) return null;
  const { start = 1, step = 1, ...more } = value;
  if (!Number.isSafeInteger(start) || !Number.isSafeInteger(step) || Object.keys(more).length > 0) return null;
  const counter = { start: Number(start), step: Number(step) };
  return counter.step >= 1 && counter.step <= 1_000_000 && Math.abs(counter.start) <= 2 ** 52 ? counter : null;
}

/** `true` where a flag is meant; anything but a missing value or `false` otherwise. */
function isOn(value: JsonValue | undefined): boolean {
  return value !== undefined && value !== false;
}

function isFieldType(value: JsonValue | undefined): value is FieldType {
  return fieldTypes.some((type) => type === value);
}

function isObject(value: JsonValue | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
