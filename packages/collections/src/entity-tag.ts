/** The strong validator of a document (RFC 9110, section 8.8.3). */
import { createHash } from 'node:crypto';
import type { StoredDocument } from '@tidewire/change-log/document-writes';

/**
 * `"<version>-<time of the last change>"`, the time in milliseconds to the base of 36. The time is in it because a document that is deleted and created
 * again under its old `_id` counts its versions from 0 again.
 */
export function entityTag({ version, changedAt }: Pick<StoredDocument, 'version' | 'changedAt'>): string {
  return `"${version}-${Date.parse(changedAt).toString(36)}"`;
}

/**
 * Whether a header `If-None-Match` names the tag: `*`, or a list with the tag in it. `W/` before a tag is passed over, as the weak comparison wants it
 * (RFC 9110, section 13.1.2).
 */
export function includesEntityTag(header: string, tag: string): boolean {
  return header.split(',').some((item) => {
    const text = item.trim();
    return text === '*' || text === tag || text === `W/${tag}`;
  });
}

/**
 * The validator of an answer that shows other documents, too: the document's own tag with a digest behind a dot, `"3-mi4x0k2p.Yk3…"`. `parts` say what is shown of which
 * version. It changes when any of them does; a write goes by the part before the dot alone, for only that document would be overwritten.
 */
export function combinedTag(own: string, parts: readonly string[]): string {
  const digest = createHash('sha256').update(parts.join('\n')).digest('base64url').slice(0, 16);
  return `${own.slice(0, -1)}.${digest}"`;
}

/** The document's own tag of any that was given for it. */
export function ownTag(tag: string): string {
  const dot = tag.indexOf('.');
  return dot < 0 ? tag : `${tag.slice(0, dot)}"`;
}
