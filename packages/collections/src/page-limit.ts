/** The bounds of one answer. */
import { Problem } from '@tidewire/protocol/problem';

/** Most documents of a page or of one bulk write. */
export const documentsLimit = 10_000;
/** Most characters of a page: V8 holds no string over 512 Mi, and several pages are in memory at a time. */
export const pageLimitChars = 32 * 1024 * 1024;

/** `bad_request`: the answer would go beyond `pageLimitChars`. */
export function answerTooLarge(): Problem {
  const limit = `${pageLimitChars / 1024 / 1024} MiB`;
  return new Problem(
    'bad_request',
    `The answer would be larger than ${limit}. Ask for fewer documents at a time, with max.`,
  );
}
