/** `tidewire key …`: the keys of a database. */

import {
  type ApiKeyAnswer,
  createKeyRequestSchema,
  keyStateOf,
  rotateKeyRequestSchema,
  updateKeyRequestSchema,
} from '@tidewire/protocol/admin-api';
import type { z } from 'zod';
import { cliDoer } from '../cli-doer.js';
import { UsageError } from '../exit.js';
import { grantsOf } from '../grants-of.js';
import type { Core } from '../open-core.js';
import { findDatabaseId } from '../run-command.js';
import { renderTable } from '../table.js';

/** What a key may, and how long, as it is typed. */
export type KeyTerms = {
  name?: string;
  rest?: string[];
  listen?: string[];
  publish?: string[];
  origin?: string[];
  expires?: string;
  rateLimit?: string;
};
export type KeyCommandOptions = { database: string; json: boolean };
export type KeyCreateOptions = KeyCommandOptions & KeyTerms & { name: string };
export type KeyUpdateOptions = KeyCommandOptions & KeyTerms & { clear?: string[] };
export type KeyRotateOptions = KeyCommandOptions & { overlap: string };

const lists = ['rest', 'listen', 'publish', 'origin'] as const;

/** Makes a key and returns what is printed: one line of JSON, or the key with what it may. The only time that the key is shown. */
export async function createKey(core: Core, { database, json, ...terms }: KeyCreateOptions): Promise<string> {
  const request = parseTerms(createKeyRequestSchema, readTerms(terms, Date.now()));
  const created = await core.apiKeys.create(await findDatabaseId(core, database), request, cliDoer);
  if (json) return `${JSON.stringify(created)}\n`;
  return `${created.key}\n\nThis is the ${created.kind} key ${created.id} (${created.name}). It is shown only now: keep it.\n${describeGrants(created)}\n`;
}

export async function listKeys(core: Core, { database, json }: KeyCommandOptions): Promise<string> {
  const keys = await core.apiKeys.list(await findDatabaseId(core, database));
  if (json) return `${JSON.stringify(keys)}\n`;
  if (keys.length === 0)
    return `The database ${database} has no key. Make one: tidewire key create --name NAME --rest '*:*'\n`;
  const rows = keys.map((key) => [
    key.id,
    key.name,
    key.kind,
    stateOf(key),
    grantsOf(key),
    String(key.openStreams),
    key.lastUsedAt ?? 'never',
  ]);
  return renderTable(['ID', 'NAME', 'KIND', 'STATE', 'MAY', 'STREAMS', 'LAST USED'], rows);
}

/** Everything that is known of one key; its text is not. */
export async function showKey(core: Core, id: string, { database, json }: KeyCommandOptions): Promise<string> {
  return shown(await core.apiKeys.get(await findDatabaseId(core, database), id), json);
}

/** Changes what is given; a list that is given replaces the present one, and `clear` empties it. */
export async function updateKey(
  core: Core,
  id: string,
  { database, json, ...terms }: KeyUpdateOptions,
): Promise<string> {
  const request = parseTerms(updateKeyRequestSchema, readTerms(terms, Date.now()));
  if (Object.keys(request).length === 0)
    throw new UsageError('Nothing is said that could be changed. tidewire key update --help says what can.');
  return shown(await core.apiKeys.update(await findDatabaseId(core, database), id, request, cliDoer), json);
}

/** Prints the new text, the only time that it is shown. */
export async function rotateKey(
  core: Core,
  id: string,
  { database, json, overlap }: KeyRotateOptions,
): Promise<string> {
  const overlapSeconds = overlap === '0' ? 0 : secondsOf('overlap', overlap);
  const request = parseTerms(rotateKeyRequestSchema, { overlapSeconds });
  const rotated = await core.apiKeys.rotate(await findDatabaseId(core, database), id, request, cliDoer);
  if (json) return `${JSON.stringify(rotated)}\n`;
  const { key, name, previousUntil } = rotated;
  const before =
    previousUntil === null ? 'The text before it is over.' : `The text before it is taken until ${previousUntil}.`;
  return `${key}\n\nThis is the new text of the key ${id} (${name}). It is shown only now: keep it.\n${before}\n`;
}

/** Switches a key off or on. */
export async function switchKey(
  core: Core,
  id: string,
  { database, json, disabled }: KeyCommandOptions & { disabled: boolean },
): Promise<string> {
  const key = await core.apiKeys.update(await findDatabaseId(core, database), id, { disabled }, cliDoer);
  if (json) return `${JSON.stringify(key)}\n`;
  const said = disabled ? 'is switched off; its open streams end within a second' : 'is switched on';
  return `The key ${key.id} (${key.name}) ${said}.\n`;
}

export async function revokeKey(core: Core, id: string, { database, json }: KeyCommandOptions): Promise<string> {
  const revoked = await core.apiKeys.revoke(await findDatabaseId(core, database), id, cliDoer);
  if (json) return `${JSON.stringify(revoked)}\n`;
  return `The key ${revoked.id} (${revoked.name}) is revoked; its open streams end within a second.\n`;
}

/** The request that the flags mean. `now`: milliseconds since the epoch. Exported for its test. */
export function readTerms(
  { clear = [], ...terms }: KeyTerms & { clear?: string[] },
  now: number,
): Record<string, unknown> {
  const { origin, expires, rateLimit, ...others } = terms;
  const given: Record<string, unknown> = { ...others, origin };
  for (const list of clear) {
    if (!lists.some((known) => known === list)) throw new UsageError(`--clear takes one of ${lists.join(', ')}.`);
    if (given[list] !== undefined) throw new UsageError(`--${list} and --clear ${list} cannot be said together.`);
    given[list] = [];
  }
  const { origin: origins, ...request } = given;
  return Object.fromEntries(
    Object.entries({
      ...request,
      origins,
      ...(expires === undefined ? {} : { expiresAt: expiryOf(expires, now) }),
      ...(rateLimit === undefined ? {} : { rateLimit: rateLimit === 'none' ? null : Number(rateLimit) }),
    }).filter(([, value]) => value !== undefined),
  );
}

/** `never`, a time from now on (`30d`), or a moment. */
function expiryOf(text: string, now: number): string | null {
  if (text === 'never') return null;
  if (/^\d+[smhd]$/.test(text)) return new Date(now + secondsOf('expires', text) * 1_000).toISOString();
  return /^\d{4}-\d\d-\d\d$/.test(text) ? `${text}T00:00:00Z` : text;
}

const unitSeconds: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3_600, d: 86_400 };

/** `90s`, `15m`, `12h`, `30d`; at most ten years. */
function secondsOf(flag: string, text: string): number {
  const seconds = Number(text.slice(0, -1)) * (unitSeconds[text.slice(-1)] ?? Number.NaN);
  if (/^\d{1,9}[smhd]$/.test(text) && seconds <= 10 * 366 * 86_400) return seconds;
  throw new UsageError(
    `--${flag}: ${text} is no time; allowed: a number and s, m, h or d, as in 24h, up to ten years.`,
  );
}

/** What is wrong is said of the flag, not of the field. */
function parseTerms<S extends z.ZodType>(schema: S, request: Record<string, unknown>): z.infer<S> {
  const parsed = schema.safeParse(request);
  if (parsed.success) return parsed.data;
  throw new UsageError(
    parsed.error.issues.map(({ path, message }) => `--${flagOf(String(path[0]))}: ${message}`).join('\n'),
  );
}

const flags: Readonly<Record<string, string>> = {
  origins: 'origin',
  expiresAt: 'expires',
  rateLimit: 'rate-limit',
  overlapSeconds: 'overlap',
};

function flagOf(field: string): string {
  return flags[field] ?? field;
}

function shown(key: ApiKeyAnswer, json: boolean): string {
  if (json) return `${JSON.stringify(key)}\n`;
  const rows = [
    ['id', key.id],
    ['name', key.name],
    ['kind', key.kind],
    ['state', stateOf(key)],
    ['may', grantsOf(key)],
    ['origins', key.origins.join(', ') || 'none'],
    ['expires', key.expiresAt ?? 'never'],
    ['rate limit', key.rateLimit === null ? 'none' : `${key.rateLimit} a minute`],
    ['text before', key.previousUntil === null ? 'over' : `taken until ${key.previousUntil}`],
    ['open streams', String(key.openStreams)],
    ['created', key.createdAt],
    ['last used', key.lastUsedAt ?? 'never'],
  ];
  return renderTable(['KEY', ''], rows);
}

function stateOf(key: ApiKeyAnswer): string {
  const since = { revoked: key.revokedAt, disabled: key.disabledAt, expired: key.expiresAt, good: null };
  const state = keyStateOf(key, Date.now());
  return `${state} ${since[state]?.slice(0, 10) ?? ''}`.trimEnd();
}

function describeGrants(key: ApiKeyAnswer): string {
  const origins =
    key.kind === 'server' ? 'no browser may use it' : `browsers may use it from ${key.origins.join(', ')}`;
  const bounds = [
    key.expiresAt === null ? [] : [`it expires ${key.expiresAt}`],
    key.rateLimit === null ? [] : [`at most ${key.rateLimit} requests a minute`],
  ].flat();
  return `It may: ${grantsOf(key)}; ${[origins, ...bounds].join('; ')}.`;
}
