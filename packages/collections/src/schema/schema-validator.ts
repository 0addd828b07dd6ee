/**
 * Holds values to a plain JSON Schema, and says what is wrong with those that fail. The verdict stops at the first mistake; the explanation goes on through properties and
 * items, and stops at a bound, so that neither grows with the number of mistakes. No pattern of a user runs as a JavaScript RegExp.
 */
import type { JsonObject, JsonValue } from '@tidewire/protocol/json';
import { type ProblemField, pointerTo } from '@tidewire/protocol/problem';
import { canonicalJson } from '@tidewire/query/json-equality';
import { parsePattern } from '@tidewire/query/pattern';
import { createTextTest } from '@tidewire/query/pattern-test';
// biome-ignore lint/style/noRestrictedImports: the package has no other name for this dialect.
import { _, Ajv2020, type ErrorObject, type ValidateFunction } from 'ajv/dist/2020.js';
import { fieldFormats, formatOf, textFormats } from './formats.js';
import { schemaLimits } from './schema-limits.js';

export type SchemaValidator = {
  isValid(value: JsonValue): boolean;
  /** At most `schemaLimits.problems` wrong places of a value that is not valid, by JSON Pointer. */
  explain(value: JsonValue): ProblemField[];
  /** The same for the schema at one place below: an object within the schema that was given. */
  isValidAt(node: JsonValue, value: JsonValue): boolean;
  explainAt(node: JsonValue, value: JsonValue, at: string): ProblemField[];
};

/** `schema` keeps within the bounds of `parseSchema`, and has no keywords of ours. */
export function createSchemaValidator(schema: JsonObject): SchemaValidator {
  const ajv = createAjv();
  const definitions = isObject(schema.$defs) ? schema.$defs : {};
  const compiled = new WeakMap<JsonObject, ValidateFunction>([[schema, ajv.compile(schema)]]);

  function validatorOf(node: JsonObject): ValidateFunction {
    const present = compiled.get(node);
    if (present !== undefined) return present;
    const made = ajv.compile({ ...node, $defs: definitions });
    compiled.set(node, made);
    return made;
  }

  function isValidAt(node: JsonValue, value: JsonValue): boolean {
    return isObject(node) ? validatorOf(node)(value) === true : node === true;
  }

  function explainAt(node: JsonValue, value: JsonValue, at: string): ProblemField[] {
    const problems: ProblemField[] = [];
    walk(node, value, at, problems);
    return problems.slice(0, schemaLimits.problems);
  }

  /** The parts that are wrong by themselves; when there are none, the value as a whole. */
  function walk(node: JsonValue, value: JsonValue, at: string, problems: ProblemField[]): void {
    if (problems.length >= schemaLimits.problems || isValidAt(node, value)) return;
    if (!isObject(node)) {
      problems.push({ field: at, message: 'nothing may stand here', allowed: 'to leave it out' });
      return;
    }
    const before = problems.length;
    const inner = solidPartOf(node, value, definitions);
    if (inner !== null) walk(inner, value, at, problems);
    else if (Array.isArray(value)) walkItems(node, value, at, problems);
    else if (isObject(value)) walkProperties(node, value, at, problems);
    if (problems.length > before) return;
    validatorOf(node)(value);
    const error = validatorOf(node).errors?.[0];
    problems.push(error === undefined ? { field: at, message: 'the value is not valid' } : explained(error, at, value));
  }

  function walkItems(node: JsonObject, value: JsonValue[], at: string, problems: ProblemField[]): void {
    const { items } = node;
    if (items === undefined || Array.isArray(node.prefixItems)) return;
    for (const [index, item] of value.entries()) {
      walk(items, item, `${at}/${index}`, problems);
      if (problems.length >= schemaLimits.problems) return;
    }
  }

  function walkProperties(node: JsonObject, value: JsonObject, at: string, problems: ProblemField[]): void {
    const properties = isObject(node.properties) ? node.properties : {};
    for (const name of Array.isArray(node.required) ? node.required : []) {
      if (typeof name === 'string' && !Object.hasOwn(value, name)) problems.push(missing(`${at}${pointerTo(name)}`));
    }
    for (const [name, property] of Object.entries(properties)) {
      if (Object.hasOwn(value, name)) walk(property, value[name] ?? null, `${at}${pointerTo(name)}`, problems);
      if (problems.length >= schemaLimits.problems) return;
    }
    if (node.additionalProperties !== false || node.patternProperties !== undefined) return;
    for (const name of Object.keys(value)) {
      if (!Object.hasOwn(properties, name)) problems.push(unknown(`${at}${pointerTo(name)}`, Object.keys(properties)));
      if (problems.length >= schemaLimits.problems) return;
    }
  }

  return {
    isValid: (value) => isValidAt(schema, value),
    explain: (value) => explainAt(schema, value, ''),
    isValidAt,
    explainAt,
  };
}

/** Where one part says all: what a $ref names, or what a value that is not null is held to beside null. */
function solidPartOf({ $ref, anyOf }: JsonObject, value: JsonValue, definitions: JsonObject): JsonValue | null {
  if (typeof $ref === 'string') return definitions[$ref.slice('#/$defs/'.length)] ?? null;
  if (!Array.isArray(anyOf) || anyOf.length !== 2 || value === null) return null;
  const [first, second] = anyOf;
  return isObject(first) && first.type === 'null' && Object.keys(first).length === 1 ? (second ?? null) : null;
}

function createAjv(): Ajv2020 {
  const ajv = new Ajv2020({
    // The schema was looked at before, more strictly than the meta-schema does.
    validateSchema: false,
    meta: false,
    strict: false,
    inlineRefs: false,
    ownProperties: true,
    addUsedSchema: false,
    logger: false,
    code: { regExp: Object.assign(regExp, { code: 'tidewirePattern' }), optimize: false },
  });
  for (const formats of [textFormats, fieldFormats]) {
    for (const [name, { maxLength, test }] of Object.entries(formats))
      ajv.addFormat(name, { type: 'string', validate: (text: string) => text.length <= maxLength && test(text) });
  }
  // The library compares each item with each other one; this takes time in proportion to their text.
  ajv.removeKeyword('uniqueItems').addKeyword({
    keyword: 'uniqueItems',
    type: 'array',
    schemaType: 'boolean',
    validate: (isOn: boolean, items: JsonValue[]) =>
      !isOn || new Set(items.map((item) => canonicalJson(item))).size === items.length,
  });
  // Decimal steps are what people mean: 19.99 is a multiple of 0.01, although no division of doubles says so.
  ajv.removeKeyword('multipleOf').addKeyword({
    keyword: 'multipleOf',
    type: 'number',
    schemaType: 'number',
    validate: isMultiple,
    error: { message: 'is no multiple', params: ({ schemaCode }) => _`{multipleOf: ${schemaCode}}` },
  });
  return ajv;
}

/** Up to what rounding does to the quotient. */
function isMultiple(step: number, value: number): boolean {
  const quotient = value / step;
  return Math.abs(quotient - Math.round(quotient)) <= Math.abs(quotient) * 4 * Number.EPSILON;
}

/** Stands in the place of `new RegExp`; the library tells patterns apart by their text form. */
function regExp(source: string) {
  const parsed = parsePattern(source, false);
  if (!parsed.ok) throw new Error(`a pattern came by the parser of schemas: ${parsed.message}`);
  const test = createTextTest(parsed.pattern);
  return {
    test: (text: string) => text.length <= schemaLimits.patternText && test(text),
    toString: () => `pattern ${source}`,
  };
}

function missing(field: string): ProblemField {
  return { field, message: 'missing field', word: 'REQUIRED' };
}

function unknown(field: string, known: readonly string[]): ProblemField {
  return { field, message: 'this field is not known here', allowed: shortened(known.join(', ') || 'no fields') };
}

/** One error of the library in our words. */
function explained({ keyword, instancePath, params }: ErrorObject, at: string, root: JsonValue): ProblemField {
  const field = `${at}${instancePath}`.slice(0, 300);
  const limit = String(params.limit);
  switch (keyword) {
    case 'required':
      return missing(`${field}${pointerTo(String(params.missingProperty))}`);
    case 'dependentRequired':
      return missing(`${field}${pointerTo(String(params.missingProperty))}`);
    case 'additionalProperties':
      return unknown(`${field}${pointerTo(String(params.additionalProperty))}`, []);
    case 'unevaluatedProperties':
      return unknown(`${field}${pointerTo(String(params.unevaluatedProperty))}`, []);
    case 'type':
      return { field, message: 'the value has another type', allowed: typeNames(params.type) };
    case 'enum':
      return { field, message: 'the value is none of the list', allowed: listed(params.allowedValues) };
    case 'const':
      return { field, message: 'the value is another one', allowed: listed([params.allowedValue]) };
    case 'pattern':
      return {
        field,
        message: 'the text does not match',
        allowed: `texts that match ${shortened(String(params.pattern))}`,
      };
    case 'format':
      return { field, message: 'the text has another form', allowed: formatOf(String(params.format))?.allowed ?? '' };
    case 'minimum':
      return { field, message: 'the number is too small', allowed: `${limit} or more` };
    case 'exclusiveMinimum':
      return { field, message: 'the number is too small', allowed: `more than ${limit}` };
    case 'maximum':
      return { field, message: 'the number is too great', allowed: `${limit} or less` };
    case 'exclusiveMaximum':
      return { field, message: 'the number is too great', allowed: `less than ${limit}` };
    case 'multipleOf':
      return { field, message: 'the number is no multiple', allowed: `multiples of ${String(params.multipleOf)}` };
    case 'minLength':
      return { field, message: 'the text is too short', allowed: `${limit} characters or more` };
    case 'maxLength':
      return { field, message: 'the text is too long', allowed: `${limit} characters or less` };
    case 'minItems':
      return { field, message: 'there are too few items', allowed: `${limit} or more` };
    case 'maxItems':
      return { field, message: 'there are too many items', allowed: `${limit} or less` };
    case 'uniqueItems':
      return { field, message: 'an item stands there twice', allowed: 'different items' };
    case 'minProperties':
      return { field, message: 'there are too few fields', allowed: `${limit} or more` };
    case 'maxProperties':
      return { field, message: 'there are too many fields', allowed: `${limit} or less` };
    case 'false schema':
      return { field, message: 'nothing may stand here', allowed: 'to leave it out' };
    default:
      return {
        field,
        message: `the value fails ${keyword} of the schema`,
        allowed: `what ${keyword} says${root === null ? '' : ' there'}`,
      };
  }
}

function typeNames(type: unknown): string {
  return (Array.isArray(type) ? type.map(String) : [String(type)]).join(' or ');
}

function listed(values: unknown): string {
  return shortened((Array.isArray(values) ? values : []).map((value) => JSON.stringify(value)).join(', '));
}

function shortened(text: string): string {
  return text.length > 300 ? `${text.slice(0, 300)}…` : text;
}

function isObject(value: JsonValue | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
