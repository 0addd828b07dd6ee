/**
 * The formats that a schema may name. Each looks at a text only up to its bound: what is longer is not of the format, so the time of a check is bounded whatever
 * its rule is.
 */
import { documentIdPattern, documentIdRule } from '@tidewire/protocol/names';
import ajvFormats from 'ajv-formats';

/** Of one format. `allowed` says it in words, for messages. */
export type TextFormat = { maxLength: number; allowed: string; test: (text: string) => boolean };

/** RFC 3339, section 5.6, or hours and minutes alone, as the browser's time input gives (WHATWG HTML, "valid time string"). */
const clockTime = /^(?:[01]\d|2[0-3]):[0-5]\d(?::[0-5]\d(?:\.\d{1,9})?(?:Z|[+-][0-2]\d:[0-5]\d)?)?$/;

const date = { maxLength: 10, allowed: 'a date as in 2026-03-01', test: standard('date') };
const dateTime = { maxLength: 64, allowed: 'a date and time as in 2026-03-01T10:00:00Z', test: standard('date-time') };

/** By the names of JSON Schema 2020-12 (validation, section 7.3). */
export const textFormats: Readonly<Record<string, TextFormat>> = {
  date,
  time: { maxLength: 64, allowed: 'a time with its zone as in 10:00:00Z', test: standard('time') },
  'date-time': dateTime,
  duration: { maxLength: 64, allowed: 'a duration as in P1DT2H', test: standard('duration') },
  email: { maxLength: 254, allowed: 'an e-mail address', test: standard('email') },
  hostname: { maxLength: 253, allowed: 'a host name', test: standard('hostname') },
  ipv4: { maxLength: 15, allowed: 'an IPv4 address', test: standard('ipv4') },
  ipv6: { maxLength: 45, allowed: 'an IPv6 address', test: standard('ipv6') },
  uri: { maxLength: 2_048, allowed: 'a URI as in https://example.com/', test: standard('uri') },
  'uri-reference': { maxLength: 2_048, allowed: 'a URI or a relative one', test: standard('uri-reference') },
  uuid: { maxLength: 45, allowed: 'a UUID', test: standard('uuid') },
  'json-pointer': { maxLength: 1_024, allowed: 'a JSON Pointer as in /a/0', test: standard('json-pointer') },
};

/** What field types need beside them; no schema can name these. */
export const fieldFormats: Readonly<Record<string, TextFormat>> = {
  'tidewire-id': { maxLength: 24, allowed: documentIdRule, test: (text) => documentIdPattern.test(text) },
  'tidewire-date': {
    maxLength: 64,
    allowed: 'a date as in 2026-03-01, or a date and time as in 2026-03-01T10:00:00Z',
    test: (text) => date.test(text) || dateTime.test(text),
  },
  'tidewire-time': { maxLength: 64, allowed: 'a time as in 10:00 or 10:00:00', test: (text) => clockTime.test(text) },
};

/** The format of that name, of either kind. */
export function formatOf(name: string): TextFormat | undefined {
  for (const formats of [textFormats, fieldFormats]) if (Object.hasOwn(formats, name)) return formats[name];
  return undefined;
}

/** The rule of ajv-formats for it. */
function standard(name: Parameters<typeof ajvFormats.default.get>[0]): (text: string) => boolean {
  const rule: unknown = ajvFormats.default.get(name);
  if (rule instanceof RegExp) return (text) => rule.test(text);
  const test = typeof rule === 'object' && rule !== null && 'validate' in rule ? rule.validate : rule;
  if (typeof test !== 'function') throw new Error(`ajv-formats has no rule for texts of the format ${name}`);
  return (text) => test(text) === true;
}
