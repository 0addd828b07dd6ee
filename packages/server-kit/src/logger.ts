/** The log: one JSON object a line, or lines for people when it goes to a terminal. */
import { styleText } from 'node:util';
import { type Logger, pino, type SerializerFn, stdSerializers } from 'pino';
import { scrubSecrets } from './scrub-secrets.js';

export type { Logger };

export const logLevels = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;
export type LogLevel = (typeof logLevels)[number];

/** Fields that never reach the log, at the top and one level down. */
const secretFields = [
  'authorization',
  'cookie',
  'set-cookie',
  'x-apikey',
  'apikey',
  'key',
  'token',
  'ticket',
  'jwt',
  'password',
  'secret',
  'connectionString',
  'DATABASE_URL',
  'REDIS_URL',
  'SECRET_KEY',
];
const redact = {
  paths: secretFields.flatMap((field) => [`["${field}"]`, `*["${field}"]`, `*.headers["${field}"]`]),
  censor: '[secret]',
};

export type LogOptions = {
  level: LogLevel;
  /** Where lines go. */
  write: (line: string) => void;
  /** Lines for people, with colours if `colours`. */
  forPeople: boolean;
  colours: boolean;
};

/** A pino logger. Text is searched for secrets by their form alone (`scrub-secrets.ts`): put values into fields. */
export function createLogger({ level, write, forPeople, colours }: LogOptions): Logger {
  const serializers: Record<string, SerializerFn> = { err: serializeError };
  const format = forPeople ? (line: string) => formatForPeople(line, colours) : (line: string) => line;
  return pino(
    {
      level,
      redact,
      serializers,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    { write: (line: string) => write(format(escapeRest(scrubSecrets(line)))) },
  );
}

/** Only what tells the cause: drivers hang whole connections, with their passwords, on their errors. */
function serializeError(error: unknown): unknown {
  if (!(error instanceof Error)) return error;
  const { type, message, stack, code } = stdSerializers.err(error) as Record<string, unknown>;
  return { type, message, code, stack };
}

const colourOf: Record<string, 'gray' | 'cyan' | 'yellow' | 'red'> = {
  trace: 'gray',
  debug: 'gray',
  info: 'cyan',
  warn: 'yellow',
  error: 'red',
  fatal: 'red',
};

/** `07:15:04 warn  message  field=value`; an error's stack goes below, further in, so that nothing in it can be taken for a line of the log. Exported for its test. */
export function formatForPeople(line: string, colours: boolean): string {
  const { time, level, msg, err, ...fields } = JSON.parse(line) as Record<string, unknown>;
  const name = String(level);
  const paint = (text: string) => (colours ? styleText(colourOf[name] ?? 'gray', text) : text);
  const rest = Object.entries(fields).map(
    ([key, value]) => `${key}=${typeof value === 'string' ? value : JSON.stringify(value)}`,
  );
  const head = [String(time).slice(11, 19), paint(name.padEnd(5)), ...[msg ?? '', ...rest].map(oneLine)].join(' ');
  return err === undefined ? `${head}\n` : `${head}\n${describeError(err)}\n`;
}

/** Control characters as JSON escapes them: a terminal obeys them, and a newline would begin a line of its own. */
function oneLine(text: unknown): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are the ones that are meant.
  return String(text).replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]/g, escaped);
}

/** Of a line of JSON: the characters that JSON leaves as they are, and that terminals or other readers obey all the same. */
function escapeRest(line: string): string {
  return line.replace(/[\u007f-\u009f\u2028\u2029]/g, escaped);
}

function escaped(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}

function describeError(error: unknown): string {
  const { stack, message } = error as { stack?: string; message?: string };
  const lines = (stack ?? message ?? JSON.stringify(error)).split('\n');
  return lines.map((text) => `  ${oneLine(text)}`).join('\n');
}
