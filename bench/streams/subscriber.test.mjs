import assert from 'node:assert/strict';
import { test } from 'node:test';
import { dialects } from './dialects.mjs';
import { LatencyRecord, summarizeLatencies } from './latency-record.mjs';
import { ReferenceStream } from './reference-stream.mjs';
import { StreamSubscriber } from './subscriber.mjs';

const head = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n';
const opening = 'retry: 2000\n\ndata: {"channel":"init","data":{}}\n\nid: 4\n\nid: 4\nevent: ping\ndata: now\n\n';
const event = (id, number = id) =>
  `id: ${id}\nevent: publish\ndata: {"n":"${String(number).padStart(9, '0')}","t":1}\n\n`;
const ping = (id) => `id: ${id}\nevent: ping\ndata: now\n\n`;
const chunk = (...blocks) => `${Buffer.byteLength(blocks.join('')).toString(16)}\r\n${blocks.join('')}\r\n`;

/** Feeds texts to one subscriber each, all on one reference; the pieces are so many bytes long. */
function receive(texts, { pieceBytes = 1_000_000, dialect = 'tidewire', capacity } = {}) {
  const reference = new ReferenceStream(dialects[dialect], capacity);
  const subscribers = texts.map(() => new StreamSubscriber(reference, null));
  for (const [index, text] of texts.entries()) {
    const bytes = Buffer.from(text);
    for (let at = 0; at < bytes.length; at += pieceBytes) {
      const piece = Buffer.from(bytes.subarray(at, at + pieceBytes));
      subscribers[index].feed(piece, piece.length);
    }
  }
  return {
    reference,
    subscribers,
    faults: [...reference.faults, ...subscribers.map(({ fault }) => fault).filter((fault) => fault !== '')],
  };
}

const whole = head + chunk(opening) + chunk(event(5), event(6)) + chunk(ping(6)) + chunk(event(7));
const inOtherChunks =
  head + chunk(opening) + chunk(event(5)) + chunk(ping(5)) + chunk(event(6), event(7)) + chunk(ping(7));

test('a whole stream has no fault, however it is cut and chunked, and wherever pings fall', () => {
  for (let pieceBytes = 1; pieceBytes < 100; pieceBytes += 1) {
    const { reference, subscribers, faults } = receive([whole, inOtherChunks], { pieceBytes });
    assert.deepEqual(faults, []);
    assert.deepEqual(reference.ids, ['5', '6', '7']);
    assert.ok(subscribers.every(({ isAtEnd }) => isAtEnd));
  }
});

test('the ring may be smaller than the stream', () => {
  const many = Array.from({ length: 200 }, (_, index) => event(5 + index));
  const text = head + chunk(opening) + many.map((one) => chunk(one)).join('');
  const reference = new ReferenceStream(dialects.tidewire, 1_000);
  const subscribers = [0, 1].map(() => new StreamSubscriber(reference, null));
  const bytes = Buffer.from(text);
  for (let at = 0; at < bytes.length; at += 77)
    for (const one of subscribers) one.feed(bytes.subarray(at, at + 77), Math.min(77, bytes.length - at));
  assert.deepEqual(
    subscribers.map(({ fault, isAtEnd }) => [fault, isAtEnd]),
    [
      ['', true],
      ['', true],
    ],
  );
});

const faulty = {
  'an event that is missing': chunk(event(5), event(7)),
  'an event that comes twice': chunk(event(5), event(5), event(6)),
  'events in the wrong order': chunk(event(6), event(5)),
  'an event with another content': chunk(event(5), event(6, 60)),
  'a cursor that is moved past an event': chunk(event(5)) + chunk(ping(6)),
  'a reset': chunk('id: 5\nevent: reset\ndata: {"reason":"retention"}\n\n'),
  'the end of the stream': `${chunk(event(5))}0\r\n\r\n`,
};

for (const [name, chunks] of Object.entries(faulty)) {
  test(`${name} is a fault, at every cut of the bytes`, () => {
    for (let pieceBytes = 1; pieceBytes < 60; pieceBytes += 1) {
      const { faults } = receive([whole, head + chunk(opening) + chunks], { pieceBytes });
      assert.equal(faults.length, 1, `pieces of ${pieceBytes} bytes: ${faults}`);
    }
  });
}

test('the first subscriber is checked, too: a hole, a double, and a number that comes twice', () => {
  for (const chunks of [chunk(event(5), event(7)), chunk(event(5), event(5)), chunk(event(5), event(6, 5))]) {
    assert.notDeepEqual(receive([head + chunk(opening) + chunks]).faults, []);
  }
});

test('a subscriber that has not got the last event is not at the end', () => {
  const { subscribers, faults } = receive([whole, head + chunk(opening) + chunk(event(5))]);
  assert.deepEqual(faults, []);
  assert.deepEqual(
    subscribers.map(({ isAtEnd }) => isAtEnd),
    [true, false],
  );
});

test('an answer other than 200 is a fault', () => {
  assert.match(receive(['HTTP/1.1 401 Unauthorized\r\n\r\n']).faults[0], /401/);
});

test("Nchan's stream is read without chunks, its ids must rise", () => {
  const plain = 'HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n: hi\n\n';
  const message = (id, number) => `id: ${id}\ndata: {"n":"${String(number).padStart(9, '0')}"}\n\n`;
  const good = plain + message('100:0', 1) + message('100:1', 2) + message('101:0', 3);
  for (let pieceBytes = 1; pieceBytes < 60; pieceBytes += 1) {
    assert.deepEqual(receive([good, good], { dialect: 'nchan', pieceBytes }).faults, []);
  }
  assert.notDeepEqual(receive([plain + message('100:1', 1) + message('100:0', 2)], { dialect: 'nchan' }).faults, []);
});

test('percentiles of latencies are those of all records together', () => {
  const records = [new LatencyRecord(), new LatencyRecord()];
  for (let microseconds = 10; microseconds < 100_000; microseconds += 20)
    records[microseconds % 40 === 10 ? 0 : 1].add(microseconds);
  const { count, p50Ms, p99Ms, maxMs } = summarizeLatencies(records.flatMap((record) => record.take()));
  assert.deepEqual({ count, p50Ms, p99Ms, maxMs }, { count: 5000, p50Ms: 50, p99Ms: 99, maxMs: 100 });
  assert.equal(records[0].take().length, 0);
});
