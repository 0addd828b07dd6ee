/** A parsed pattern as a test of texts. */
import { RE2JS } from 're2js';
import type { Pattern } from './pattern.js';

/** Prepares the pattern once for many texts. A test takes time in proportion to the text, whatever the pattern. */
export function createTextTest({ re2 }: Pattern): (text: string) => boolean {
  const pattern = RE2JS.compile(re2);
  return (text) => pattern.test(text);
}
