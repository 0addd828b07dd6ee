/**
 * Writing by a rule. Of a new document: it gets the defaults, has only fields that may be written, and must be one that the rule lets through. Of a change: the document before must be
 * one that the rule lets through, else there is none; the change sees and changes what the user sees; fields that it changes must be ones that may be written; and the document after
 * must be let through, too. What the rule hides can be set, where it may be written, but neither read, tested nor removed by a change.
 */
import { holds, isOf, isServers, type Rule, type RuleTerm, termOf, withFields } from '@tidewire/access/rule';
import type { Admit, DocumentUpdate, StoredDocument } from '@tidewire/change-log/document-writes';
import type { JsonObject, JsonValue } from '@tidewire/protocol/json';
import { Problem } from '@tidewire/protocol/problem';
import type { ChangeForm } from './document-change.js';
import { isObject, isSameJson } from './document-path.js';
import { type ParentLink, parentOf, withParent } from './parent-link.js';
import { noDocument } from './refusals.js';
import { parsedWhole, shownBy, withBody } from './rule-mask.js';

/** A new document as it is to be written. */
export type NewDocument = { body: JsonObject; admit?: Admit };

/**
 * The fields of a new document by the first term that lets it through with its defaults. `at`: its place in what was sent, for refusals. Throws `forbidden` for fields that may not be written, and
 * when no role of the user makes documents; whether the document is let through is seen when it is complete, by `admit`.
 */
export function newByRule(
  rule: Rule | null,
  fields: JsonObject,
  { by, at = '' }: { by: string; at?: string },
): NewDocument {
  if (rule === null) return { body: fields };
  const made = rule.terms.flatMap((term) => {
    const body = stamped(term, fields);
    return body === null ? [] : [{ term, body }];
  });
  const probe = { _createdby: by, _changedby: by, _version: 0 };
  const chosen = made.find(({ term, body }) => isOf(term, { ...body, ...probe })) ?? made[0];
  if (chosen === undefined) throw forbidden(at, 'the user lacks a value that each new document is given');
  const { term, body } = chosen;
  for (const name of Object.keys(fields))
    if (!isServers(name) && !holds(term.writeFields, name) && !Object.hasOwn(term.defaults ?? {}, name))
      throw notWritable(at, name, term);
  const admit: Admit = (after) => {
    if (!isOf(term, parsedWhole(after))) throw forbidden(at, 'the document is none that the user may make');
  };
  return { body, admit };
}

/** Those that name the parent stay behind. */
function stamped({ defaults }: RuleTerm, fields: JsonObject): JsonObject | null {
  if (defaults === null) return null;
  const link: ParentLink | null = parentOf(fields);
  return withParent({ ...fields, ...defaults }, link);
}

/** What a change is made of. */
export type AskedChange = { form: ChangeForm; body: JsonValue };

/** The change as the rule lets it be made; `change` is what was asked for. A document that is not there for the user is refused as a missing one. */
export function changeByRule(
  rule: Rule | null,
  collection: string,
  asked: AskedChange,
  change: DocumentUpdate,
): { data: DocumentUpdate; admit?: Admit } {
  if (rule === null) return { data: change };
  return {
    data(_before, stored) {
      const term = termOf(rule, parsedWhole(stored));
      if (term === null) throw noDocument(collection, stored.id);
      // A change may change what it is given: each of these is a copy of its own.
      const before = JSON.parse(stored.body) as JsonObject;
      const changed = change(withFields(JSON.parse(stored.body) as JsonObject, term.readFields), stored);
      checkFields(term, asked, before, changed);
      return joined(term, asked, before, changed);
    },
    admit(after) {
      if (termOf(rule, parsedWhole(after)) === null)
        throw forbidden('', 'the document would become one that the user may not change');
    },
  };
}

function checkFields(term: RuleTerm, asked: AskedChange, before: JsonObject, changed: JsonObject): void {
  const { readFields, writeFields } = term;
  for (const name of new Set([...Object.keys(withFields(before, readFields)), ...Object.keys(changed)])) {
    if (isServers(name)) continue;
    const isHidden = !holds(readFields, name);
    if (isHidden && !isSet(asked, name, changed[name]))
      throw forbidden(`/${name}`, 'the field is not shown to the user, who may only set it');
    const isChanged = isHidden || !isSameJson(own(before, name), own(changed, name));
    if (isChanged && !holds(writeFields, name) && !isKept(term, asked, name, changed))
      throw notWritable('', name, term);
  }
}

/** Whether the body gives the field this value, so that nothing of the field before is in it. */
function isSet({ form, body }: AskedChange, name: string, value: JsonValue | undefined): boolean {
  return (
    (form === 'merge' || form === 'replace') &&
    isObject(body) &&
    Object.hasOwn(body, name) &&
    isSameJson(body[name], value)
  );
}

/** Whoever replaces a document leaves alone what is not his. */
function isKept({ writeFields }: RuleTerm, { form }: AskedChange, name: string, changed: JsonObject): boolean {
  return form === 'replace' && !holds(writeFields, name) && !Object.hasOwn(changed, name);
}

/** The fields in the order of the document before, with those that the user does not see; new ones behind. */
function joined(term: RuleTerm, asked: AskedChange, before: JsonObject, changed: JsonObject): JsonObject {
  const kept = Object.entries(before).flatMap(([name, value]): [string, JsonValue][] => {
    const present = own(changed, name);
    if (present !== undefined) return [[name, present]];
    const isHidden = !isServers(name) && !holds(term.readFields, name);
    return isHidden || isKept(term, asked, name, changed) ? [[name, value]] : [];
  });
  const added = Object.entries(changed).filter(([name]) => !Object.hasOwn(before, name));
  return Object.fromEntries([...kept, ...added]);
}

function own(object: JsonObject, name: string): JsonValue | undefined {
  return Object.hasOwn(object, name) ? object[name] : undefined;
}

/** The written document as the writer is shown it: what the rule of the method shows, and of that no more than the writer may GET. `reading` undefined: who writes may not GET. */
export function shownToWriter(
  rule: Rule | null,
  reading: Rule | null | undefined,
  document: StoredDocument,
): StoredDocument {
  const written = shownBy(rule, document) ?? withBody(document, []);
  if (reading === undefined || reading === null) return written;
  const term = termOf(reading, parsedWhole(document));
  return withBody(written, term === null ? [] : term.readFields);
}

function notWritable(at: string, name: string, { writeFields }: RuleTerm): Problem {
  const allowed = writeFields?.join(', ') || 'none';
  return forbidden(`${at}/${name.slice(0, 100)}`, 'the user may not write this field', allowed);
}

function forbidden(field: string, message: string, allowed?: string): Problem {
  const detail = `${field === '' ? '' : `${field}: `}${message}${allowed === undefined ? '' : ` (allowed: ${allowed})`}`;
  return new Problem('forbidden', detail, {
    errors: [{ field, message, ...(allowed === undefined ? {} : { allowed }) }],
  });
}
