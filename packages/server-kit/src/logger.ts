/** The log: one JSON object a line, or lines for people when it goes to a terminal. */
import { styleText } from 'node:util';
import { type Logger, pino, type SerializerFn, stdSerializers } from 'pino';

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

/** A pino logger. Text in a message is not searched for secrets: put values into fields. */
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
    { write: (line: string) => write(format(line)) },
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

/** `07:15:04 warn  message  field=value`; an error's stack goes below. Exported for its test. */
export function formatForPeople(line: string, colours: boolean): string {
  const { time, level, msg, err, ...fields } = JSON.parse(line) as Record<string, unknown>;
  const name = String(level);
  const paint = (text: string) => (colours ? styleText(colourOf[name] ?? 'gray', text) : text);
  const rest = Object.entries(fields).map(
    ([key, value]) => `${key}=${typeof value === 'string' ? value : JSON.stringify(value)}`,
  );
  const head = [String(time).slice(11, 19), paint(name.padEnd(5)), msg ?? '', ...rest].join(' ');
  return err === undefined ? `${head}\n` : `${head}\n${describeError(err)}\n`;
}

function describeError(error: unknown): string {
  const { stack, message } = error as { stack?: string; message?: string };
  return `  ${(stack ?? message ?? JSON.stringify(error)).replaceAll('\n', '\n  ')}`;
}
