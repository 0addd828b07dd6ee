/**
 * What a collection makes of its documents, compiled from its schema. In this order: what clients cannot write is left out or put back, defaults are filled in, numbers
 * given, relations brought to their stored form, expressions computed (each sees those before it), and then the whole is held to the schema.
 */
import type { DocumentShape, ShapeCounter } from '@tidewire/change-log/document-shape';
import type { JsonObject, JsonValue } from '@tidewire/protocol/json';
import { invalid, invalidFields, type ProblemField, pointerTo } from '@tidewire/protocol/problem';
import { type Expression, ExpressionError, parseExpression } from './expression.js';
import { fieldRules } from './field-types.js';
import { fieldSchemasOf, plainSchemaOf } from './json-schema.js';
import { type FieldSpec, type ParsedSchema, parseSchema } from './parse-schema.js';
import { schemaLimits } from './schema-limits.js';
import { createSchemaValidator, type SchemaValidator } from './schema-validator.js';

export interface CompiledShape extends DocumentShape {
  /** What is wrong with a stored document, names that begin with `_` left out of account; empty when it is valid. */
  check(document: JsonObject): ProblemField[];
  /** The root fields whose values no two documents share. */
  readonly unique: readonly string[];
}

/** Throws `validation_failed` for a schema that is refused, with JSON Pointers in the schema. */
export function compileShape(schema: JsonValue): CompiledShape {
  const parsed = parseSchema(schema);
  const fieldSchemas = fieldSchemasOf(parsed);
  const validator = createSchemaValidator(plainSchemaOf(parsed, fieldSchemas));
  checkDefaults(parsed, validator, fieldSchemas);
  return createShape(parsed, validator);
}

function createShape({ schema, fields }: ParsedSchema, validator: SchemaValidator): CompiledShape {
  const counters = fields.flatMap(({ name, autoIncrement }): ShapeCounter[] =>
    autoIncrement === null ? [] : [{ field: name, ...autoIncrement }],
  );
  const computed = compileExpressions(fields);
  const neverSent = fields.filter(isOfServer).map(({ name }) => name);
  const children = fields.filter(({ fieldType }) => fieldType === 'child').map(({ name }) => name);
  const defaults = hasDefault(schema) ? schema : null;
  const normalized = fields.flatMap(({ name, fieldType }) => {
    const normalize = fieldType === null ? undefined : fieldRules[fieldType].normalize;
    return normalize === undefined ? [] : [{ name, normalize }];
  });

  function normalizeFields(draft: Draft): void {
    for (const { name, normalize } of normalized) {
      const value = draft.fields[name];
      if (value === undefined || !Object.hasOwn(draft.fields, name)) continue;
      const stored = normalize(value);
      if (JSON.stringify(stored) !== JSON.stringify(value)) draft.set(name, stored);
    }
  }

  /** Returns the fields that have no value. */
  function compute(draft: Draft): ProblemField[] {
    const problems: ProblemField[] = [];
    for (const { name, expression } of computed) {
      try {
        draft.set(name, expression.evaluate(draft.fields));
      } catch (error) {
        if (!(error instanceof ExpressionError)) throw error;
        draft.remove(name);
        const allowed = 'fields for which its expression has a value';
        problems.push({ field: pointerTo(name), message: `it cannot be computed: ${error.message}`, allowed });
      }
    }
    return problems;
  }

  function check(document: JsonObject): ProblemField[] {
    const own = ownFieldsOf(document);
    return validator.isValid(own) ? [] : validator.explain(own);
  }

  /** Computes, and holds the whole to the schema: the refusal names what either finds. */
  function finish(draft: Draft, isValidated: boolean): JsonObject {
    const uncomputed = compute(draft);
    const invalid = isValidated ? check(draft.fields) : [];
    if (uncomputed.length === 0 && invalid.length === 0) return draft.fields;
    const named = new Set(uncomputed.map(({ field }) => field));
    const problems = [...invalid.filter(({ field }) => !named.has(field)), ...uncomputed];
    throw invalidFields(problems.slice(0, schemaLimits.problems));
  }

  return {
    counters,
    unique: fields.filter(({ isUnique }) => isUnique).map(({ name }) => name),
    check,
    prepareNew(fields, { numbers, isValidated }) {
      const draft = new Draft(fields);
      for (const name of neverSent) draft.remove(name);
      if (defaults !== null) fillIn(draft, defaults);
      for (const [name, number] of numbers) draft.set(name, number);
      normalizeFields(draft);
      return finish(draft, isValidated);
    },
    prepareChanged(before, after, { isReplaced }) {
      const draft = new Draft(after);
      for (const name of children) draft.remove(name);
      for (const { field } of counters) draft.put(field, Object.hasOwn(before, field) ? before[field] : undefined);
      if (isReplaced && defaults !== null) fillIn(draft, defaults);
      normalizeFields(draft);
      return finish(draft, true);
    },
  };
}

/** Fields on the way: copied at the first change, so that what was given stays as it was. */
class Draft {
  fields: JsonObject;
  private isOwn = false;

  constructor(fields: JsonObject) {
    this.fields = fields;
  }

  set(name: string, value: JsonValue): void {
    this.own()[name] = value;
  }

  remove(name: string): void {
    if (Object.hasOwn(this.fields, name)) delete this.own()[name];
  }

  put(name: string, value: JsonValue | undefined): void {
    if (value === undefined) this.remove(name);
    else this.set(name, value);
  }

  private own(): JsonObject {
    if (!this.isOwn) this.fields = { ...this.fields };
    this.isOwn = true;
    return this.fields;
  }
}

function isOfServer({ fieldType, autoIncrement, computed }: FieldSpec): boolean {
  return fieldType === 'child' || autoIncrement !== null || computed !== null;
}

/** The document without the fields of the server; most have none. */
function ownFieldsOf(document: JsonObject): JsonObject {
  const names = Object.keys(document);
  if (!names.some((name) => name.startsWith('_'))) return document;
  return Object.fromEntries(Object.entries(document).filter(([name]) => !name.startsWith('_')));
}

function compileExpressions(fields: readonly FieldSpec[]): { name: string; expression: Expression }[] {
  const names = fields.map(({ name }) => name);
  return fields.flatMap(({ name, computed }) => {
    if (computed === null) return [];
    try {
      return [{ name, expression: parseExpression(computed, names) }];
    } catch (error) {
      if (!(error instanceof ExpressionError)) throw error;
      const at = `/properties${pointerTo(name)}/computed`;
      throw invalid(at, `this is no expression: ${error.message}`, 'CEL, as in "price * quantity"');
    }
  });
}

/** Along `properties` alone: what stands under `items`, `$ref` or a condition is a remark. */
function hasDefault(schema: JsonValue): boolean {
  if (!isObject(schema) || !isObject(schema.properties)) return false;
  return Object.values(schema.properties).some(
    (property) => isObject(property) && ('default' in property || hasDefault(property)),
  );
}

function fillIn(draft: Draft, schema: JsonObject): void {
  for (const [name, property] of Object.entries(isObject(schema.properties) ? schema.properties : {})) {
    if (!isObject(property)) continue;
    const present = draft.fields[name];
    if (!Object.hasOwn(draft.fields, name)) {
      if (property.default !== undefined) draft.set(name, property.default);
    } else if (isObject(present) && hasDefault(property)) {
      const inner = new Draft(present);
      fillIn(inner, property);
      if (inner.fields !== present) draft.set(name, inner.fields);
    }
  }
}

/** A default has to be a value that the field may have. Throws `validation_failed`. */
function checkDefaults(
  { schema, fields }: ParsedSchema,
  validator: SchemaValidator,
  fieldSchemas: ReturnType<typeof fieldSchemasOf>,
): void {
  const problems: ProblemField[] = [];
  const see = (node: JsonValue, value: JsonValue, at: string) => {
    for (const problem of validator.isValidAt(node, value) ? [] : validator.explainAt(node, value, at))
      problems.push(problem);
  };
  const descend = (node: JsonObject, at: string, depth: number) => {
    if (depth > schemaLimits.depth || problems.length >= schemaLimits.problems) return;
    for (const [name, property] of Object.entries(isObject(node.properties) ? node.properties : {})) {
      const place = `${at}/properties${pointerTo(name)}`;
      if (!isObject(property)) continue;
      if (property.default !== undefined) {
        const field = depth === 0 ? fieldSchemas.get(name) : undefined;
        const type = depth === 0 ? fields.find((one) => one.name === name)?.fieldType : null;
        const stored = (type ? fieldRules[type].normalize : undefined)?.(property.default) ?? property.default;
        if (!(field?.isNullable && stored === null)) see(field?.schema ?? property, stored, `${place}/default`);
      }
      descend(property, place, depth + 1);
    }
  };
  descend(schema, '', 0);
  if (problems.length > 0) throw invalidFields(problems.slice(0, schemaLimits.problems));
}

function isObject(value: JsonValue | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
