/**
 * The state of one list of grants while it is edited: the grants so far, the methods that are switched on, and what is being typed.
 *
 * What is typed is either whole grants (`POST:company`) or names alone (`company`), which take each of the methods that are on.
 * Several stand apart by blanks or commas. The protocol's `parseGrant` alone says what a grant is.
 */
import { type GrantKind, grantRules, parseGrant } from '@tidewire/protocol/channel';

export type GrantEditor = {
  readonly kind: GrantKind;
  readonly grants: readonly string[];
  readonly methods: readonly string[];
  readonly draft: string;
};

/** The methods to pick from. PATCH is not among those of `listen`: there it means PUT. */
export const pickableMethods: Record<GrantKind, readonly string[]> = {
  rest: ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', '*'],
  listen: ['POST', 'PUT', 'DELETE', 'PUBLISH', '*'],
  publish: [],
};

const firstMethods: Record<GrantKind, readonly string[]> = {
  rest: ['GET'],
  listen: ['POST', 'PUT', 'DELETE'],
  publish: [],
};

export function createGrantEditor(kind: GrantKind, grants: readonly string[]): GrantEditor {
  return { kind, grants, methods: firstMethods[kind], draft: '' };
}

/** Switches a method. `*` stands for all, so it is on alone; at least one stays on. */
export function toggleMethod(editor: GrantEditor, method: string): GrantEditor {
  const isOn = editor.methods.includes(method);
  if (method === '*') return { ...editor, methods: isOn ? firstMethods[editor.kind] : ['*'] };
  const others = editor.methods.filter((other) => other !== method && other !== '*');
  const picked = isOn ? others : [...others, method];
  if (picked.length === 0) return editor;
  return { ...editor, methods: pickableMethods[editor.kind].filter((known) => picked.includes(known)) };
}

export type DraftReading =
  | { outcome: 'empty' }
  | { outcome: 'good'; grants: string[] }
  | { outcome: 'bad'; word: string; allowed: string };

/** What the typed text means. */
export function readDraft({ kind, methods, draft }: Pick<GrantEditor, 'kind' | 'methods' | 'draft'>): DraftReading {
  const words = draft.split(/[\s,]+/).filter((word) => word !== '');
  if (words.length === 0) return { outcome: 'empty' };
  const grants = new Set<string>();
  for (const word of words) {
    const meant = readWord(kind, methods, word);
    if (meant === null) return { outcome: 'bad', word, allowed: grantRules[kind] };
    for (const grant of meant) grants.add(grant);
  }
  return { outcome: 'good', grants: [...grants] };
}

function readWord(kind: GrantKind, methods: readonly string[], word: string): string[] | null {
  const whole = parseGrant(kind, kind === 'publish' ? word : raiseMethod(kind, word));
  if (whole !== null) return [whole];
  const combined: string[] = [];
  for (const method of methods) {
    const grant = parseGrant(kind, `${method}:${word}`);
    if (grant === null) return null;
    combined.push(grant);
  }
  return combined.length > 0 ? combined : null;
}

/** Methods are upper case in a grant, but nobody should have to hold the shift key for them. */
function raiseMethod(kind: GrantKind, word: string): string {
  const separator = word.indexOf(':');
  const method = word.slice(0, Math.max(0, separator)).toUpperCase();
  const isMethod = pickableMethods[kind].includes(method) || method === 'PATCH';
  return separator > 0 && isMethod ? method + word.slice(separator) : word;
}

/** Takes what is typed into the list; a text that is no grant stays where it is. */
export function addDraft(editor: GrantEditor): GrantEditor {
  const reading = readDraft(editor);
  if (reading.outcome !== 'good') return editor;
  return { ...editor, grants: [...new Set([...editor.grants, ...reading.grants])], draft: '' };
}

export function removeGrant(editor: GrantEditor, grant: string): GrantEditor {
  return { ...editor, grants: editor.grants.filter((other) => other !== grant) };
}

/** The whole list with what is still being typed, or null when that is no grant. */
export function settleGrants(editor: GrantEditor): string[] | null {
  const reading = readDraft(editor);
  return reading.outcome === 'bad' ? null : [...addDraft(editor).grants];
}

/** A name to offer for what is being typed, and the draft that it would make. */
export type Suggestion = { name: string; draft: string };

/** The collections that fit what is being typed, and `*`. A method that stands in front of it is kept. */
export function suggestNames({ kind, methods, draft }: GrantEditor, collections: readonly string[]): Suggestion[] {
  if (kind === 'publish') return [];
  const last = draft.split(/[\s,]+/).at(-1) ?? '';
  const earlier = draft.slice(0, draft.length - last.length);
  const raised = raiseMethod(kind, last);
  const separator = raised.indexOf(':');
  const method = separator > 0 ? raised.slice(0, separator + 1) : '';
  // A custom event is no collection: nobody knows which names there will be.
  if (method === 'PUBLISH:' || (method === '' && methods.length === 1 && methods[0] === 'PUBLISH')) return [];
  const typed = raised.slice(method.length).toLowerCase();
  return [...collections, '*']
    .filter((name) => name.toLowerCase().includes(typed))
    .map((name) => ({ name, draft: earlier + method + name }));
}

const restVerbs: Record<string, string> = {
  GET: 'read',
  POST: 'create in',
  PUT: 'replace in',
  PATCH: 'change in',
  DELETE: 'delete from',
  '*': 'do everything in',
};
const listenVerbs: Record<string, string> = {
  POST: 'hear what is created in',
  PUT: 'hear what is changed in',
  DELETE: 'hear what is deleted from',
  '*': 'hear every change of',
};

/** A grant as a piece of a sentence: "may …". */
export function describeGrant(kind: GrantKind, grant: string): string {
  if (kind === 'publish') return `publish ${describeEventName(grant)}`;
  const separator = grant.indexOf(':');
  const method = grant.slice(0, separator);
  const name = grant.slice(separator + 1);
  if (kind === 'listen' && method === 'PUBLISH') return `hear ${describeEventName(name)}`;
  if (kind === 'listen' && grant === '*:*') return 'hear everything';
  const verb = (kind === 'rest' ? restVerbs : listenVerbs)[method] ?? method;
  return `${verb} ${name === '*' ? 'every collection' : name}`;
}

function describeEventName(name: string): string {
  if (name === '*') return 'every custom event';
  return name.endsWith('.*') ? `custom events that begin with ${name.slice(0, -1)}` : `the custom event ${name}`;
}
