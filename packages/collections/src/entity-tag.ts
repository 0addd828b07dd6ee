/** The strong validator of a document (RFC 9110, section 8.8.3). */
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
