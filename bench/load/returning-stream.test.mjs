import assert from 'node:assert/strict';
import { createServer } from 'node:net';
import { test } from 'node:test';
import { ReturningStream, SharedEvents } from './returning-stream.mjs';

const head = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n';
const chunk = (text) => `${Buffer.byteLength(text).toString(16)}\r\n${text}\r\n`;
const opening = 'retry: 5\n\ndata: {"channel":"init","data":{}}\n\n';
const event = (id, data = `{"n":${id}}`) => `id: ${id}\nevent: publish\ndata: ${data}\n\n`;

/** A server that answers the connections in their order with these texts, byte by byte, and ends each but the last. Gives what was asked. */
async function serve(answers, check) {
  const asked = [];
  const sockets = [];
  const server = createServer((socket) => {
    sockets.push(socket.on('error', () => undefined));
    socket.once('data', async (request) => {
      const text = answers[asked.length] ?? head;
      asked.push(String(request));
      socket.setNoDelay(true);
      for (const byte of Buffer.from(text)) {
        socket.write(Buffer.from([byte]));
        await new Promise((resolve) => setImmediate(resolve));
      }
      if (asked.length < answers.length) socket.end();
    });
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(undefined)));
  const { port } = /** @type {import('node:net').AddressInfo} */ (server.address());
  const stream = new ReturningStream({ ports: [port], path: '/realtime', headers: {}, shared: new SharedEvents() });
  stream.open();
  await until(() => check(stream, asked));
  stream.stop();
  for (const socket of sockets) socket.destroy();
  server.close();
  return { stream, asked };
}

async function until(isSo) {
  for (const end = Date.now() + 10_000; Date.now() < end && !isSo(); )
    await new Promise((resolve) => setTimeout(resolve, 5));
  assert.ok(isSo());
}

const faultOf = async (...answers) => (await serve(answers, ({ fault }) => fault !== '')).stream.fault;

test('a stream that was cut anywhere comes back with its cursor, after the time that it was told', async () => {
  const first = head + chunk(`${opening}id: 4\n\n${event(5)}`) + chunk(event(6)).slice(0, 20);
  const second = head + chunk(`${opening}id: 5\n\n`) + chunk(event(6) + event(7));
  const { stream, asked } = await serve([first, second], ({ last }) => last === 7);
  assert.equal(stream.fault, '');
  assert.deepEqual([stream.first, stream.returns.length, stream.retryMs], [5, 1, 5]);
  assert.deepEqual(
    asked.map((text) => /Last-Event-ID: (\d+)/.exec(text)?.[1]),
    [undefined, '5'],
  );
  const [[lostAt, askedAt, backAt] = []] = stream.returns;
  assert.ok(lostAt <= askedAt && askedAt <= backAt);
});

test('a lost, a doubled and a changed event, a cursor ahead, a reset and a refusal are faults', async () => {
  assert.match(await faultOf(head + chunk(opening + event(5) + event(7))), /event 7 came after 5/);
  assert.match(await faultOf(head + chunk(opening + event(5) + event(5))), /event 5 came after 5/);
  assert.match(await faultOf(head + chunk(`${opening}id: 4\n\n${event(6)}`)), /event 6 came after 4/);
  assert.match(await faultOf(head + chunk(`${opening}${event(5)}id: 6\nevent: ping\ndata: x\n\n`)), /moved to 6/);
  assert.match(await faultOf(head + chunk(`${opening}event: reset\ndata: {}\n\n`)), /said reset/);
  assert.match(await faultOf('HTTP/1.1 429 Too Many Requests\r\n\r\n'), /answered HTTP\/1.1 429/);
  const shared = new SharedEvents();
  assert.deepEqual([shared.agree(1, 'a'), shared.agree(1, 'a'), shared.agree(1, 'b')], [true, true, false]);
});
