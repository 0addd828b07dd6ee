import { expect, test } from 'vitest';
import { readLines } from './read-lines.js';

/** A body of these parts, cut off with an error when `isCut`. */
function bodyOf(parts: readonly (string | Uint8Array<ArrayBuffer>)[], isCut = false) {
  const encoder = new TextEncoder();
  const left = [...parts];
  return new ReadableStream<Uint8Array<ArrayBuffer>>({
    pull(controller) {
      const part = left.shift();
      if (part !== undefined) controller.enqueue(typeof part === 'string' ? encoder.encode(part) : part);
      else if (isCut) controller.error(new Error('the line is gone'));
      else controller.close();
    },
  });
}

async function linesOf(body: ReadableStream<Uint8Array<ArrayBuffer>>): Promise<string[]> {
  const lines: string[] = [];
  for await (const line of readLines(body)) lines.push(line);
  return lines;
}

test('lines come whole, however the network cuts them', async () => {
  const bytes = new TextEncoder().encode('{"a":"é"}\n{"b":2}\n');
  const parts = Array.from(bytes, (_, at) => bytes.slice(at, at + 1));
  expect(await linesOf(bodyOf(parts))).toEqual(['{"a":"é"}', '{"b":2}']);
  expect(await linesOf(bodyOf(['1\n2\n\n3\n']))).toEqual(['1', '2', '3']);
});

test('of an answer that breaks off, the whole lines come and nothing else', async () => {
  expect(await linesOf(bodyOf(['1\n2\n', '{"half":'], true))).toEqual(['1', '2']);
  expect(await linesOf(bodyOf(['1\n{"half":']))).toEqual(['1']);
});
