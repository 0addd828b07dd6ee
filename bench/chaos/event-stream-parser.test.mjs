import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EventStreamParser } from './event-stream-parser.mjs';

function parse(text, pieceBytes) {
  const blocks = [];
  const parser = new EventStreamParser((block) => blocks.push(block));
  const bytes = Buffer.from(text);
  for (let at = 0; at < bytes.length; at += pieceBytes) parser.feed(bytes.subarray(at, at + pieceBytes));
  return blocks;
}

test('blocks are the same wherever the bytes are cut, in the middle of a character and of CR LF too', () => {
  const text =
    'retry: 5\n\n: hi\n\nid: 1\r\nevent: post\r\ndata: ä€😀\r\ndata:two\r\n\r\nid: 2\n\nevent: ping\ndata\n\nid: 3\rdata: x\r\r\n';
  const due = [
    { id: '1', event: 'post', data: 'ä€😀\ntwo' },
    { id: '2', event: 'message', data: null },
    { id: undefined, event: 'ping', data: '' },
    { id: '3', event: 'message', data: 'x' },
  ];
  for (let pieceBytes = 1; pieceBytes <= Buffer.byteLength(text); pieceBytes += 1)
    assert.deepEqual(parse(text, pieceBytes), due);
});

test('a block that was cut off is not dispatched', () => {
  assert.deepEqual(parse('id: 1\ndata: x\n', 100), []);
});
