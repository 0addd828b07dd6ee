/** Ids of documents in the form of MongoDB's ObjectId: 4 bytes of seconds, 5 random bytes of this process, a 3-byte counter. */
import { randomBytes, randomInt } from 'node:crypto';

/** Makes ids that rise within a process and never repeat (2^24 in a second). `now` gives milliseconds. */
export function createDocumentIds(now: () => number = Date.now): () => string {
  const process = randomBytes(5).toString('hex');
  let counter = randomInt(0, 0x7fffff);
  return () => {
    counter = (counter + 1) & 0xffffff;
    const seconds = Math.floor(now() / 1000);
    return seconds.toString(16).padStart(8, '0') + process + counter.toString(16).padStart(6, '0');
  };
}
