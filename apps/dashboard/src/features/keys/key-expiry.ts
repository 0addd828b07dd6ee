/** The expiry of a key as a form has it: text of `<input type="datetime-local">`, in the reader's own zone, or empty for never. */

/** `2027-01-31T14:00`, or empty. Seconds are cut off. */
export function expiryDraftOf(expiresAt: string | null): string {
  if (expiresAt === null) return '';
  const at = new Date(expiresAt);
  return new Date(at.getTime() - at.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}

/**
 * What is sent: ISO 8601 in UTC, null for never, or undefined for a text that is no time. A draft that stands for the key's present expiry is that expiry, to the second.
 */
export function readExpiry(draft: string, present: string | null): string | null | undefined {
  if (draft === '') return null;
  if (draft === expiryDraftOf(present)) return present;
  const time = new Date(draft);
  return Number.isNaN(time.getTime()) ? undefined : time.toISOString();
}
