/**
 * Reads a JSON array item by item, in the memory of one item: only brackets and strings are followed, and each item's text is
 * then parsed as a whole. A broken item therefore hurts only itself, as long as its brackets and quotes are closed.
 */
import { type ImportRow, UnreadableFileError } from './import-row.js';
import { parseRow } from './parse-row.js';

const itemLimit = 16 * 1024 * 1024;

export async function* readJsonArray(chunks: AsyncIterable<string>): AsyncGenerator<ImportRow> {
  const scanner = new ArrayScanner();
  for await (const chunk of chunks) {
    for (const item of scanner.feed(chunk)) yield parseRow(item.line, item.text);
  }
  scanner.finish();
}

/** 1. Outside of the array only white space may stand. 2. An item ends at a comma or the closing bracket at depth 1, outside of strings. */
class ArrayScanner {
  #state: 'before' | 'inside' | 'after' = 'before';
  #depth = 0;
  #isInString = false;
  #isEscaped = false;
  #line = 1;
  #item = '';
  #itemLine = 1;
  #hasBegun = false;

  *feed(chunk: string): Generator<{ line: number; text: string }> {
    let start = 0;
    for (let index = 0; index < chunk.length; index += 1) {
      const char = chunk[index] ?? '';
      if (char === '\n') this.#line += 1;
      if (this.#state !== 'inside') {
        this.#outside(char);
        start = index + 1;
      } else if (this.#endsItem(char)) {
        const text = this.#item + chunk.slice(start, index);
        this.#item = '';
        start = index + 1;
        if (char === ']') this.#state = 'after';
        if (this.#hasBegun) yield { line: this.#itemLine, text };
        this.#hasBegun = false;
      } else if (!this.#hasBegun && char.trim() !== '') {
        this.#hasBegun = true;
        this.#itemLine = this.#line;
      }
    }
    this.#item += chunk.slice(start);
    if (this.#item.length > itemLimit) throw this.#unreadable(`an item is longer than ${itemLimit} characters`);
  }

  finish(): void {
    if (this.#state === 'before') throw this.#unreadable('it is empty');
    if (this.#state === 'inside') throw this.#unreadable('it ends before the array is closed');
  }

  #outside(char: string): void {
    if (char.trim() === '' || char === '\uFEFF') return;
    if (this.#state === 'after') throw this.#unreadable(`something follows the array in line ${this.#line}`);
    if (char !== '[') throw this.#unreadable('it does not begin with [; for one value a line use --format ndjson');
    this.#state = 'inside';
  }

  #endsItem(char: string): boolean {
    if (this.#isInString) {
      if (this.#isEscaped) this.#isEscaped = false;
      else if (char === '\\') this.#isEscaped = true;
      else if (char === '"') this.#isInString = false;
      return false;
    }
    if (char === '"') this.#isInString = true;
    else if (char === '{' || char === '[') this.#depth += 1;
    else if ((char === '}' || char === ']') && this.#depth > 0) this.#depth -= 1;
    else return char === ',' ? this.#depth === 0 : char === ']';
    return false;
  }

  #unreadable(why: string): UnreadableFileError {
    return new UnreadableFileError(`The file is not a JSON array: ${why}.`);
  }
}
