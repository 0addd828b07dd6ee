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

/** An unmasked frame of a server (RFC 6455, section 5.2). */
function frame(text, first = 0x81) {
  const payload = Buffer.from(text);
  const head = payload.length < 126 ? [first, payload.length] : [first, 126, payload.length >> 8, payload.length & 255];
  return Buffer.concat([Buffer.from(head), payload]);
}

/** As `receive`, of bytes. */
function receiveBytes(streams, { pieceBytes, dialect }) {
  return receive(
    streams.map((parts) => Buffer.concat(parts.map((part) => Buffer.from(part)))),
    { pieceBytes, dialect },
  );
}

const upgraded = 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n';
const spoken = (id, number = id, more = '') =>
  `{"id":${id},"data":{"n":"${String(number).padStart(9, '0')}","text":"${more}"}}`;
const longText = 'x'.repeat(200);
const socketMessages = [frame(spoken(1)), frame(spoken(2, 2, longText)), frame('', 0x89), frame(spoken(3))];

test('WebSocket messages, short and long, are read at every cut of the bytes', () => {
  for (let pieceBytes = 1; pieceBytes < 90; pieceBytes += 1) {
    const streams = [
      [upgraded, ...socketMessages],
      [upgraded, ...socketMessages.filter((one) => one[0] === 0x81)],
    ];
    const { reference, subscribers, faults } = receiveBytes(streams, { pieceBytes, dialect: 'websocket' });
    assert.deepEqual(faults, []);
    assert.deepEqual(reference.ids, ['1', '2', '3']);
    assert.ok(subscribers.every(({ isAtEnd, isOpen }) => isAtEnd && isOpen));
  }
});

const faultyMessages = {
  'a message that is missing': [frame(spoken(1)), frame(spoken(3))],
  'a message that comes twice': [frame(spoken(1)), frame(spoken(1))],
  'a message with another content': [frame(spoken(1)), frame(spoken(2, 7, longText))],
  'the close of a WebSocket': [frame(spoken(1)), frame('', 0x88)],
};

for (const [name, messages] of Object.entries(faultyMessages)) {
  test(`${name} is a fault, first or second, at every cut of the bytes`, () => {
    for (let pieceBytes = 1; pieceBytes < 60; pieceBytes += 1) {
      const options = { pieceBytes, dialect: 'websocket' };
      const second = receiveBytes(
        [
          [upgraded, ...socketMessages],
          [upgraded, ...messages],
        ],
        options,
      );
      assert.equal(second.faults.length, 1);
      if (name !== 'a message with another content')
        assert.notDeepEqual(receiveBytes([[upgraded, ...messages]], options).faults, []);
    }
  });
}

test('a stream of Socket.IO is open with its namespace, not with its head', () => {
  const { subscribers } = receiveBytes([[upgraded, frame('0{"sid":"a"}')]], { pieceBytes: 7, dialect: 'socketIo' });
  assert.deepEqual([subscribers[0].hasHead, subscribers[0].isOpen], [true, false]);
  const event = frame(`42["publish",${spoken(1)}]`);
  const opened = [upgraded, frame('0{"sid":"a"}'), frame('40{"sid":"b"}'), event];
  const { subscribers: both, faults } = receiveBytes([opened, opened], { pieceBytes: 7, dialect: 'socketIo' });
  assert.deepEqual(faults, []);
  assert.ok(both.every(({ isOpen, isAtEnd }) => isOpen && isAtEnd));
});

const stored = (number) => `event: data\ndata:[{"data":{"n":"${String(number).padStart(9, '0')}"}}]\n\n`;
const control = (offset) => `event: control\ndata:{"streamNextOffset":"${offset}"}\n\n`;

test("streams of Durable Streams are held against each other's numbers, whatever stands between", () => {
  const first = head + chunk(stored(4)) + chunk(control(1)) + chunk(stored(5), control(2));
  const second = head + chunk(stored(4), stored(5)) + chunk(control(2));
  for (let pieceBytes = 1; pieceBytes < 60; pieceBytes += 1) {
    const options = { dialect: 'durableStreams', pieceBytes };
    assert.deepEqual(receive([first, second], options).faults, []);
    const hole = receive([first, head + chunk(stored(5))], options);
    assert.equal(hole.faults.length, 1);
    const double = receive([head + chunk(stored(4), stored(4))], options);
    assert.notDeepEqual(double.faults, []);
  }
});

test('a connection that is cut anywhere and resumed with its cursor misses nothing and repeats nothing', () => {
  const bytes = Buffer.from(whole);
  for (let cut = head.length; cut < bytes.length; cut += 1) {
    const reference = new ReferenceStream(dialects.tidewire);
    const witness = new StreamSubscriber(reference, null);
    const subscriber = new StreamSubscriber(reference, null);
    subscriber.feed(bytes.subarray(0, cut), cut);
    witness.feed(bytes, bytes.length);
    const cursor = Number(subscriber.reconnect() ?? 4);
    const rest = [5, 6, 7].filter((id) => id > cursor).map((id) => event(id));
    const again = Buffer.from(head + chunk(`id: ${cursor}\n\n`) + (rest.length > 0 ? chunk(...rest) : ''));
    subscriber.feed(again, again.length);
    assert.deepEqual([reference.faults, subscriber.fault, subscriber.isAtEnd], [[], '', true], `cut at ${cut}`);
  }
});

test('a resumed connection that misses an event, or gets one again, is a fault', () => {
  for (const blocks of [[event(7)], [event(5), event(6), event(7)]]) {
    const reference = new ReferenceStream(dialects.tidewire);
    const [witness, subscriber] = [0, 1].map(() => new StreamSubscriber(reference, null));
    const before = Buffer.from(head + chunk(opening) + chunk(event(5)));
    const all = Buffer.from(whole);
    witness.feed(all, all.length);
    subscriber.feed(before, before.length);
    assert.equal(subscriber.reconnect(), '5');
    const again = Buffer.from(head + chunk(...blocks));
    subscriber.feed(again, again.length);
    assert.notEqual(subscriber.fault, '');
  }
});

test('a subscriber that joins late begins where it is, and misses nothing from then on', () => {
  const join = (...blocks) => {
    const reference = new ReferenceStream(dialects.tidewire);
    const witness = new StreamSubscriber(reference, null);
    const late = new StreamSubscriber(reference, null, { joinsLate: true });
    const all = Buffer.from(whole);
    witness.feed(all, all.length);
    const bytes = Buffer.from(head + chunk('id: 5\n\n') + blocks.map((one) => chunk(one)).join(''));
    late.feed(bytes, bytes.length);
    return late;
  };
  assert.deepEqual([join(event(6), event(7)).fault, join(event(6), event(7)).isAtEnd], ['', true]);
  assert.equal(join(event(6)).isAtEnd, false);
  assert.equal(join().isAtEnd, false);
  assert.notEqual(join(event(6), event(8)).fault, '');
  assert.notEqual(join(event(6), event(6)).fault, '');
});

test('percentiles of latencies are those of all records together', () => {
  const records = [new LatencyRecord(), new LatencyRecord()];
  for (let microseconds = 10; microseconds < 100_000; microseconds += 20)
    records[microseconds % 40 === 10 ? 0 : 1].add(microseconds);
  const { count, p50Ms, p99Ms, p999Ms, maxMs } = summarizeLatencies(records.flatMap((record) => record.take()));
  const expected = { count: 5000, p50Ms: 50, p99Ms: 99, p999Ms: 99.9, maxMs: 100 };
  assert.deepEqual({ count, p50Ms, p99Ms, p999Ms, maxMs }, expected);
  assert.equal(records[0].take().length, 0);
});
