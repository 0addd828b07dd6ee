/**
 * Reads a JSON array item by item, in the memory of one item: only brackets and strings are followed, and each item's text is
 * then parsed as a whole. A broken item therefore hurts only itself, as long as its brackets and quotes are closed.
 */
import { type ImportRow, type ParseText, parseRow, rowLimitChars, tooLong, UnreadableTextError } from './import-row.js';

export async function* readJsonArray(chunks: AsyncIterable<string>, parse: ParseText): AsyncGenerator<ImportRow> {
  const scanner = new ArrayScanner();
  for await (const chunk of chunks) {
    for (const { line, text } of scanner.feed(chunk)) yield text === null ? tooLong(line) : parseRow(line, text, parse);
  }
  scanner.finish();
}

/**
 * 1. Outside of the array only white space may stand. 2. An item ends at a comma or the closing bracket at depth 1, outside of strings.
 * 3. Of an item that is too long no text is kept, and it is handed out as null.
 */
class ArrayScanner {
  #state: 'before' | 'inside' | 'after' = 'before';
  #depth = 0;
  #isInString = false;
  #isEscaped = false;
  #line = 1;
  #item = '';
  #itemLine = 1;
  #hasBegun = false;
  #isTooLong = false;

  *feed(chunk: string): Generator<{ line: number; text: string | null }> {
    let start = 0;
    for (let index = 0; index < chunk.length; index += 1) {
      const char = chunk[index] ?? '';
      if (char === '\n') this.#line += 1;
      if (this.#state !== 'inside') {
        this.#outside(char);
        start = index + 1;
      } else if (this.#endsItem(char)) {
        const text = this.#isTooLong ? null : this.#item + chunk.slice(start, index);
        this.#isTooLong = false;
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
    if (this.#item.length > rowLimitChars) this.#isTooLong = true;
    if (this.#isTooLong) this.#item = '';
  }

  finish(): void {
    if (this.#state === 'before') throw this.#unreadable('it is empty');
    if (this.#state === 'inside') throw this.#unreadable('it ends before the array is closed');
  }

  #outside(char: string): void {
    if (char.trim() === '' || char === '\uFEFF') return;
    if (this.#state === 'after') throw this.#unreadable(`something follows the array in line ${this.#line}`);
    if (char !== '[') throw this.#unreadable('it does not begin with [; one value a line is the format ndjson');
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

  #unreadable(why: string): UnreadableTextError {
    return new UnreadableTextError(`This is not a JSON array: ${why}.`);
  }
}
