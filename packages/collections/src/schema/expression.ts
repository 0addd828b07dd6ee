/**
 * The expressions of computed fields: CEL (https://cel.dev, language definition of google/cel-spec), a part of it. What would not be bounded is left out:
 * regular expressions, macros that walk a list, `cel.bind`, `split`. So the work of an expression is in proportion to its parts times what the fields hold that it
 * names, and both are bounded. JSON's numbers are CEL's `double`; to them, `int` literals may be added (CEL has no such mixing).
 *
 * Variables are the fields of the document; a field that the schema has and the document has not is `null`. `document` is the document itself, for names
 * that are no identifiers. Beside CEL's own functions there are `abs ceil floor round min max` and `sum(list)`, `sum(list, "name")`.
 */
import { type ASTNode, Environment, EvaluationError, ParseError } from '@marcbachmann/cel-js';
import type { JsonObject, JsonValue } from '@tidewire/protocol/json';
import { schemaLimits } from './schema-limits.js';

/** A parsed expression. `evaluate` is pure; it throws `ExpressionError`. */
export type Expression = { evaluate(fields: JsonObject): JsonValue };

/** Why an expression is refused, or has no value for a document; the message is public. */
export class ExpressionError extends Error {
  override readonly name = 'ExpressionError';
}

/** What an expression may call. */
const functions: ReadonlySet<string> = new Set(
  `has size int double string bool dyn timestamp duration startsWith endsWith contains lowerAscii upperAscii trim indexOf lastIndexOf substring join
  getDate getDayOfMonth getDayOfWeek getDayOfYear getFullYear getHours getMilliseconds getMinutes getMonth getSeconds
  abs ceil floor round min max sum`.split(/\s+/),
);
/** A list is joined with this much between its items: more would let a text grow without bound. */
const separatorLength = 16;

const environment = createEnvironment();

/** Throws `ExpressionError`. `names` are the fields that the schema has. */
export function parseExpression(text: string, names: readonly string[]): Expression {
  if (text.length > schemaLimits.expressionLength)
    throw new ExpressionError(`an expression has at most ${schemaLimits.expressionLength} characters`);
  try {
    const run = environment.parse(text);
    const used = new Set<string>();
    inspect(run.ast, used);
    const checked = run.check();
    if (!checked.valid) throw new ExpressionError(firstLine(checked.error));
    return { evaluate: (fields) => evaluate(run, contextOf(fields, names), measured(fields, used)) };
  } catch (error) {
    throw asExpressionError(error);
  }
}

function evaluate(run: (context: JsonObject) => unknown, context: JsonObject, size: number): JsonValue {
  if (size > schemaLimits.expressionInput)
    throw new ExpressionError(`the fields that it names hold more than ${schemaLimits.expressionInput} characters`);
  try {
    return toJson(run(context));
  } catch (error) {
    throw asExpressionError(error);
  }
}

/** Without a prototype, so that no name finds what every object has. */
function contextOf(fields: JsonObject, names: readonly string[]): JsonObject {
  const context: JsonObject = Object.create(null);
  for (const name of names) context[name] = null;
  return Object.assign(context, fields, { document: fields });
}

/** Characters of the fields that are used; '' stands for all. */
function measured(fields: JsonObject, used: ReadonlySet<string>): number {
  if (used.has('')) return JSON.stringify(fields).length;
  let size = 0;
  for (const name of used) if (Object.hasOwn(fields, name)) size += JSON.stringify(fields[name]).length;
  return size;
}

/** Refuses what is not ours, and notes the fields that are named. */
function inspect(node: ASTNode, used: Set<string>): void {
  if (node.op === '.' && isDocument(node.args[0])) {
    used.add(node.args[1]);
    return;
  }
  if (node.op === 'id') used.add(node.args === 'document' ? '' : node.args);
  if (node.op === 'call') checkCall(node.args[0]);
  if (node.op === 'rcall') checkReceiverCall(node.args[0], node.args[2]);
  for (const part of partsOf(node.args)) inspect(part, used);
}

function isDocument(node: ASTNode): boolean {
  return node.op === 'id' && node.args === 'document';
}

function checkReceiverCall(name: string, [separator]: readonly ASTNode[]): void {
  checkCall(name);
  if (name !== 'join' || separator === undefined) return;
  const { op, args } = separator;
  if (op === 'value' && typeof args === 'string' && args.length <= separatorLength) return;
  throw new ExpressionError(`join takes a text of at most ${separatorLength} characters, as in tags.join(", ")`);
}

function checkCall(name: string): void {
  if (functions.has(name)) return;
  throw new ExpressionError(`there is no function ${name} here; there are ${[...functions].join(' ')}`);
}

function* partsOf(args: unknown): Generator<ASTNode> {
  if (Array.isArray(args)) for (const item of args) yield* partsOf(item);
  else if (isNode(args)) yield args;
}

function isNode(value: unknown): value is ASTNode {
  return typeof value === 'object' && value !== null && 'op' in value && 'args' in value;
}

function toJson(value: unknown): JsonValue {
  if (value === null || typeof value === 'boolean') return value;
  if (typeof value === 'string') {
    if (value.length > schemaLimits.expressionInput)
      throw new ExpressionError(`it gives a text of more than ${schemaLimits.expressionInput} characters`);
    return value;
  }
  if (typeof value === 'number' || typeof value === 'bigint') return toNumber(value);
  if (value instanceof Date) return value.toISOString();
  if (Array.isArray(value)) return value.map(toJson);
  if (typeof value === 'object') {
    const prototype: unknown = Object.getPrototypeOf(value);
    if (prototype === Object.prototype || prototype === null)
      return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, toJson(item)]));
  }
  throw new ExpressionError('it gives what JSON has no form for');
}

function toNumber(value: number | bigint): number {
  const number = Number(value);
  if (!Number.isFinite(number)) throw new ExpressionError('it gives no finite number');
  if (typeof value === 'bigint' && !Number.isSafeInteger(number))
    throw new ExpressionError('it gives an integer that JSON numbers do not hold exactly');
  return number;
}

function createEnvironment(): Environment {
  const made = new Environment({
    unlistedVariablesAreDyn: true,
    homogeneousAggregateLiterals: false,
    limits: {
      maxAstNodes: schemaLimits.expressionParts,
      maxDepth: schemaLimits.expressionDepth,
      maxListElements: 100,
      maxMapEntries: 100,
      maxCallArguments: 8,
    },
  });
  const operators: Record<string, (a: number, b: number) => number> = {
    '+': (a, b) => a + b,
    '-': (a, b) => a - b,
    '*': (a, b) => a * b,
    '/': (a, b) => a / b,
    '%': (a, b) => a % b,
  };
  for (const [operator, apply] of Object.entries(operators)) {
    for (const types of ['double', 'int'].map((type) => [type, type === 'int' ? 'double' : 'int'] as const))
      made.registerOperator(`${types[0]} ${operator} ${types[1]}`, (a: unknown, b: unknown) =>
        apply(Number(a), Number(b)),
      );
  }
  made.registerOperator('double % double', (a: unknown, b: unknown) => Number(a) % Number(b));
  for (const name of ['abs', 'ceil', 'floor', 'round'] as const)
    made.registerFunction(`${name}(dyn): double`, (value: unknown) => Math[name](asNumber(value)));
  made.registerFunction('round(dyn, int): double', (value: unknown, digits: unknown) =>
    roundTo(asNumber(value), Number(digits)),
  );
  for (const name of ['min', 'max'] as const)
    made.registerFunction(`${name}(dyn, dyn): double`, (a: unknown, b: unknown) =>
      Math[name](asNumber(a), asNumber(b)),
    );
  made.registerFunction('sum(list): double', (items: unknown) => sum(items, null));
  made.registerFunction('sum(list, string): double', (items: unknown, name: unknown) => sum(items, String(name)));
  return made;
}

function sum(items: unknown, name: string | null): number {
  if (!Array.isArray(items)) throw new ExpressionError('sum takes a list');
  return items.reduce<number>(
    (total, item: unknown) => total + asNumber(name === null ? item : memberOf(item, name)),
    0,
  );
}

function memberOf(item: unknown, name: string): unknown {
  if (typeof item !== 'object' || item === null || !Object.hasOwn(item, name))
    throw new ExpressionError(`an item of the list has no ${name}`);
  return Reflect.get(item, name);
}

function asNumber(value: unknown): number {
  if (typeof value === 'number' || typeof value === 'bigint') return Number(value);
  throw new ExpressionError('a number is needed');
}

/** By way of the decimal text, so that 1.005 with two digits is what people expect of the number that is shown. */
function roundTo(value: number, digits: number): number {
  if (!Number.isInteger(digits) || digits < 0 || digits > 15) throw new ExpressionError('round takes 0 to 15 digits');
  const rounded = Number(`${Math.round(Number(`${value}e${digits}`))}e-${digits}`);
  return Number.isNaN(rounded) ? value : rounded;
}

function asExpressionError(error: unknown): ExpressionError {
  if (error instanceof ExpressionError) return error;
  const cause = error instanceof Error && error.cause instanceof ExpressionError ? error.cause : error;
  if (cause instanceof ExpressionError) return cause;
  return new ExpressionError(firstLine(error), { cause: error });
}

/** The library's messages show the place in further lines. */
function firstLine(error: unknown): string {
  if (error instanceof ParseError || error instanceof EvaluationError) return error.summary.slice(0, 200);
  return error instanceof Error ? (error.message.split('\n')[0] ?? '').slice(0, 200) : 'it cannot be evaluated';
}
