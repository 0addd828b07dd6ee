import { once } from 'node:events';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import type { Server } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { Problem } from '@tidewire/protocol/problem';
import { Router } from 'express';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createHttpApp } from './http-app.js';
import { bodyLimitBytes, readJsonBody } from './json-body.js';
import { requireSameOrigin } from './same-origin.js';
import { sendJson } from './send-json.js';
import { createStaticFiles } from './static-files.js';

class DatabaseAway extends Error {}

let server: Server;
let url: string;
let folder: string;
let logged: { fields: Record<string, unknown>; message: string }[] = [];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'static-files-'));
  await mkdir(join(folder, 'assets'));
  await writeFile(join(folder, 'index.html'), '<!doctype html><title>dashboard</title>');
  await writeFile(join(folder, 'assets', 'app-1a2b3c.js'), 'export {}');
  await writeFile(join(folder, '.secret'), 'hidden');

  const router = Router();
  router.post('/echo', async (request, response) =>
    sendJson(response, 200, JSON.stringify(await readJsonBody(request))),
  );
  router.post('/change', requireSameOrigin, (_request, response) => sendJson(response, 200, '{}'));
  router.get('/accident', () => {
    throw new Error('the password is hunter2');
  });
  router.get('/away', () => {
    throw new DatabaseAway('10.0.0.1 refused');
  });
  const log = { error: (fields: Record<string, unknown>, message: string) => void logged.push({ fields, message }) };
  const translate = (error: unknown) =>
    error instanceof DatabaseAway ? new Problem('unavailable', 'Try again.') : null;
  server = createHttpApp({ handlers: [router, createStaticFiles({ folder })], log, translate }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
beforeEach(() => {
  logged = [];
});
afterAll(async () => {
  server.closeAllConnections();
  server.close();
  await rm(folder, { recursive: true });
});

const json = { 'content-type': 'application/json' };

async function post(body: NonNullable<RequestInit['body']>, headers: Record<string, string> = json) {
  const response = await fetch(`${url}/echo`, { method: 'POST', headers, body });
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
}

/** Sends bytes as they are and gives what comes back until the server closes. */
async function raw(text: string): Promise<string> {
  const socket = connect(Number(new URL(url).port), '127.0.0.1');
  socket.write(text);
  let answer = '';
  for await (const chunk of socket) answer += String(chunk);
  return answer;
}

describe('a JSON body', () => {
  it.each([
    'application/json',
    'application/json; charset=utf-8',
    'Application/JSON;charset="UTF-8"',
    'application/json;',
  ])('is taken as %s', async (type) =>
    expect(await post('{"a":"é"}', { 'content-type': type })).toEqual({ status: 200, body: { a: 'é' } }),
  );

  it.each([
    'text/plain',
    'application/x-www-form-urlencoded',
    'application/json; charset=latin1',
    'application/jsonx',
    'application/json, text/plain',
    '',
  ])('is refused with 415 as %j', async (type) =>
    expect(await post('{}', { 'content-type': type })).toMatchObject({
      status: 415,
      body: { code: 'unsupported_media_type' },
    }),
  );

  it('is refused with 415 when it is compressed, without being unpacked', async () => {
    for (const encoding of ['gzip', 'deflate', 'br', 'x-unknown']) {
      expect((await post(gzipSync('{}'), { ...json, 'content-encoding': encoding })).status).toBe(415);
    }
    expect((await post('{}', { ...json, 'content-encoding': 'identity' })).status).toBe(200);
  });

  it('is taken up to one mebibyte and refused with 413 above, an answer that the client sees, on a connection that works on', async () => {
    const filled = (bytes: number) => `"${'x'.repeat(bytes - 2)}"`;
    expect((await post(filled(bodyLimitBytes))).status).toBe(200);
    for (let time = 0; time < 5; time += 1) {
      expect(await post(filled(bodyLimitBytes + 1))).toMatchObject({ status: 413, body: { code: 'body_too_large' } });
      expect((await post(filled(10 * 1024 * 1024))).status).toBe(413);
      expect((await post('{}')).status).toBe(200);
    }
  });

  it('is measured while it comes when its length is not told', async () => {
    const chunk = `10000\r\n${'x'.repeat(0x10000)}\r\n`;
    const head =
      'POST /echo HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n';
    expect(await raw(`${head}${chunk.repeat(160)}0\r\n\r\n`)).toMatch(/^HTTP\/1\.1 413 /);
  });

  it('is refused with 400 when it is not UTF-8, not JSON, or empty', async () => {
    for (const bytes of [
      [0x22, 0xff, 0x22],
      [0x22, 0xc0, 0x80, 0x22],
      [0x22, 0xed, 0xa0, 0x80, 0x22],
      [0xff, 0xfe, 0x7b, 0x00, 0x7d, 0x00],
    ]) {
      expect((await post(Buffer.from(bytes))).status).toBe(400);
    }
    for (const text of ['', '{', '{"a":1}x', 'undefined'])
      expect(await post(text)).toMatchObject({ status: 400, body: { code: 'invalid_json' } });
  });

  it('that breaks off harms nobody', async () => {
    const socket = connect(Number(new URL(url).port), '127.0.0.1');
    socket.write(
      'POST /echo HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{"a":',
    );
    await once(socket, 'connect');
    socket.destroy();
    expect((await post('{}')).status).toBe(200);
    expect(logged).toEqual([]);
  });
});

describe('errors', () => {
  it('of ours are logged with the request’s id and told to nobody', async () => {
    const response = await fetch(`${url}/accident`, { headers: { 'x-request-id': 'request-12345' } });
    const text = await response.text();
    expect(response.status).toBe(500);
    expect(text).not.toContain('hunter2');
    expect(JSON.parse(text)).toMatchObject({ code: 'internal', requestId: 'request-12345' });
    expect(logged).toMatchObject([{ fields: { requestId: 'request-12345', method: 'GET', path: '/accident' } }]);
  });

  it('that an adapter explains are told in its words', async () => {
    const response = await fetch(`${url}/away`);
    expect(response.status).toBe(503);
    expect(await response.text()).not.toContain('10.0.0.1');
    expect(logged).toEqual([]);
  });

  it.each(['/%', '/%ff', '/assets/%', '/a%00b', '/..%2f..%2fetc%2fpasswd', '/.secret', '/assets/../.secret'])(
    'of the path %s are 4xx and no accident',
    async (path) => {
      const answer = await raw(`GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`);
      expect(answer).toMatch(/^HTTP\/1\.1 4\d\d /);
      expect(answer).not.toContain('hidden');
      expect(logged).toEqual([]);
    },
  );
});

describe('requests that change something with a cookie', () => {
  const change = async (headers: Record<string, string>) =>
    (await fetch(`${url}/change`, { method: 'POST', headers })).status;

  it('are taken from our own pages and from no browser', async () => {
    expect(await change({})).toBe(200);
    expect(await change({ origin: url, 'sec-fetch-site': 'same-origin' })).toBe(200);
    expect(await change({ origin: url })).toBe(200);
  });

  it.each([
    { 'sec-fetch-site': 'cross-site' },
    { 'sec-fetch-site': 'same-site' },
    { origin: 'https://evil.example' },
    { origin: 'null' },
    { origin: 'https://evil.example', 'sec-fetch-site': 'none' },
  ])('are refused with %j', async (headers) => expect(await change(headers as Record<string, string>)).toBe(403));
});

describe('the dashboard’s files', () => {
  const html = { accept: 'text/html,*/*' };

  it('are kept for ever when their name has a hash', async () => {
    const response = await fetch(`${url}/assets/app-1a2b3c.js`);
    expect(response.headers.get('cache-control')).toBe('public, max-age=31536000, immutable');
    expect(response.headers.get('content-type')).toContain('javascript');
  });

  it('have index.html for every page, asked for each time, under a strict policy', async () => {
    for (const path of ['/', '/setup?token=x', '/databases/default/keys']) {
      const response = await fetch(url + path, { headers: html });
      expect(await response.text()).toContain('dashboard');
      expect(response.headers.get('cache-control')).toBe('no-cache');
      const policy = response.headers.get('content-security-policy') ?? '';
      for (const part of [
        "default-src 'self'",
        "script-src 'self'",
        "object-src 'none'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
        "form-action 'self'",
      ]) {
        expect(policy).toContain(part);
      }
      expect(policy.split(';').find((part) => part.startsWith('script-src'))).not.toContain('unsafe');
      expect(response.headers.get('x-content-type-options')).toBe('nosniff');
    }
  });

  it('are not there for a program that asks for JSON, nor for a file that is gone', async () => {
    expect((await fetch(`${url}/nowhere`)).status).toBe(404);
    expect((await fetch(`${url}/assets/gone-1a2b3c.js`, { headers: html })).status).toBe(404);
    expect((await fetch(`${url}/gone.png`, { headers: html })).status).toBe(404);
    expect((await fetch(`${url}/setup`, { method: 'POST', headers: html })).status).toBe(404);
  });
});
