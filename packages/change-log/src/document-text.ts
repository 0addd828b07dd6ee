/** The whole document as JSON text: `_id`, the fields in their order, the metafields. */
import type { StoredDocument } from './document-writes.js';

/** What events and write answers carry. Every text in it was made by JSON.stringify, so joining is safe. */
export function wholeDocument(document: StoredDocument): string {
  const fields = document.body.length > 2 ? `,${document.body.slice(1, -1)}` : '';
  return `{"_id":"${document.id}"${fields},"_created":"${document.createdAt}","_changed":"${document.changedAt}","_createdby":${JSON.stringify(document.createdBy)},"_changedby":${JSON.stringify(document.changedBy)},"_version":${document.version}}`;
}
