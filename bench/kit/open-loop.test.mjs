import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { test } from 'node:test';
import { startOpenLoop } from './open-loop.mjs';

async function serve(handle) {
  const server = createServer(handle);
  await new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(undefined)));
  const stop = () => {
    server.closeAllConnections();
    server.close();
  };
  const options = { headers: {}, perSecond: 200, bodyOf: (number) => `{"n":${number}}`, firstNumber: 1 };
  return { ...options, url: `http://127.0.0.1:${server.address().port}/`, stop };
}

const until = async (isSo) => {
  while (!isSo()) await new Promise((resolve) => setTimeout(resolve, 5));
};

test('every number is sent once, although answers are slow', async () => {
  const numbers = [];
  const { stop, ...options } = await serve(async (request, response) => {
    let text = '';
    for await (const part of request) text += part;
    numbers.push(JSON.parse(text).n);
    setTimeout(() => response.end(), 50);
  });
  const loop = startOpenLoop(options);
  await until(() => numbers.length > 20);
  const last = await loop.stop();
  stop();
  assert.deepEqual(
    numbers.sort((a, b) => a - b),
    Array.from({ length: last }, (_, index) => index + 1),
  );
  const { count, p50Ms } = loop.between(0, Number.POSITIVE_INFINITY);
  assert.equal(count, last);
  assert.ok(p50Ms >= 49);
});

test('a refused request, and a server that answers nothing, are failures', async () => {
  const refusing = await serve((_request, response) => response.writeHead(503).end());
  const loop = startOpenLoop(refusing);
  // It ends by itself at the first refusal, after any number of requests.
  await until(() => loop.number > 0);
  await assert.rejects(loop.stop(), /503/);
  refusing.stop();
  const silent = await serve(() => undefined);
  const flood = startOpenLoop({ ...silent, perSecond: 5_000 });
  await until(() => flood.number >= 500);
  await assert.rejects(flood.stop(), /does not keep up|not answered/);
  silent.stop();
});

test('what is waited for while it keeps up is given up at the first failure', async () => {
  const refusing = await serve((_request, response) => response.writeHead(503).end());
  const loop = startOpenLoop(refusing);
  await assert.rejects(loop.whileItKeepsUp(new Promise(() => undefined)), /503/);
  refusing.stop();
  const good = await serve((_request, response) => response.end());
  const other = startOpenLoop(good);
  assert.equal(await other.whileItKeepsUp(Promise.resolve(7)), 7);
  await other.stop();
  good.stop();
});
