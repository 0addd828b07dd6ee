import { once } from 'node:events';
import type { Server } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { Router } from 'express';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { bodyLimitMs, pauseLimitMs } from './body-time.js';
import { createHttpApp } from './http-app.js';
import { readJsonBody } from './json-body.js';
import { sendJson } from './send-json.js';
import { readTextBody } from './text-body.js';

let server: Server;
/** Characters that the route of texts has read. */
let size = 0;

beforeAll(async () => {
  const router = Router();
  router.post('/json', async (request, response) =>
    sendJson(response, 200, JSON.stringify(await readJsonBody(request))),
  );
  router.post('/text', async (request, response) => {
    for await (const text of readTextBody(request)) size += text.length;
    sendJson(response, 200, String(size));
  });
  router.post('/first', async (request, response) => {
    for await (const text of readTextBody(request)) {
      sendJson(response, 200, JSON.stringify(text));
      return;
    }
  });
  router.get('/none', (_request, response) => sendJson(response, 200, '{}'));
  const log = { error: () => undefined };
  server = createHttpApp({ handlers: [router], log }).listen(0, '127.0.0.1');
  server.requestTimeout = 0;
  await once(server, 'listening');
});
afterEach(() => vi.useRealTimers());
afterAll(() => {
  server.closeAllConnections();
  server.close();
});

/** A request whose body of 20 bytes comes as far as `body`. */
async function begin(request: string, body: string): Promise<{ socket: Socket; received: () => string }> {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
  let text = '';
  socket.on('data', (bytes) => {
    text += bytes;
  });
  const arrived = once(server, 'request');
  socket.write(`${request} HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 20\r\n\r\n${body}`);
  await arrived;
  await new Promise((resolve) => setImmediate(resolve));
  return { socket, received: () => text };
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setImmediate(resolve));
}

describe('the time of a body', () => {
  it('answers a JSON body that does not arrive with 408, and closes', async () => {
    const { received } = await begin('POST /json', '{"a":');
    vi.advanceTimersByTime(bodyLimitMs - 1);
    expect(received()).toBe('');
    vi.advanceTimersByTime(1);
    await until(() => received().includes('request_timeout'));
    expect(received()).toMatch(/^HTTP\/1.1 408 /);
    expect(received().toLowerCase()).toContain('connection: close');
  });

  it('lets a body without a bound take any time, and ends it at a pause', async () => {
    const { socket, received } = await begin('POST /text', '12345');
    await until(() => size === 5);
    for (let piece = 0; piece < 3; piece += 1) {
      vi.advanceTimersByTime(pauseLimitMs - 1);
      socket.write('1234');
      await until(() => size === 5 + 4 * (piece + 1));
    }
    expect(received()).toBe('');
    vi.advanceTimersByTime(pauseLimitMs);
    await until(() => received().includes('request_timeout'));
  });

  it('closes the connection of a client that goes on sending after its answer', async () => {
    for (const request of ['GET /none', 'POST /first']) {
      const { socket, received } = await begin(request, '12345');
      const closed = once(socket, 'close');
      await until(() => received().includes('HTTP/1.1 200'));
      await new Promise((resolve) => setImmediate(resolve));
      vi.advanceTimersByTime(10_000);
      await closed;
    }
  });

  it('keeps the connection of a client whose body came whole', async () => {
    const { socket, received } = await begin('POST /json', '"123456789012345678"');
    await until(() => received().includes('123456789012345678'));
    vi.advanceTimersByTime(120_000);
    await new Promise((resolve) => setImmediate(resolve));
    expect(socket.destroyed).toBe(false);
    socket.destroy();
  });
});
