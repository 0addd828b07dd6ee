import { once } from 'node:events';
import { request as send } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, it } from 'vitest';
import { createHttpApp } from './http-app.js';
import { originOf } from './origin.js';

/** What a server that trusts so many proxies takes for its address, or the status of the refusal. */
async function originWith(trustProxy: number, headers: Record<string, string>): Promise<string> {
  const app = createHttpApp({
    handlers: [(request, response) => void response.end(originOf(request))],
    log: { error: () => undefined },
    translate: () => null,
    trustProxy,
  });
  const server = app.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const request = send({ host: '127.0.0.1', port, headers, agent: false });
  request.end();
  const [response] = await once(request, 'response');
  let text = '';
  for await (const chunk of response) text += String(chunk);
  server.close();
  return response.statusCode === 200 ? text : String(response.statusCode);
}

const forwarded = { host: 'inner:8080', 'x-forwarded-proto': 'https', 'x-forwarded-host': 'api.example' };

it('the address is that of the Host header, unless a proxy that is believed says another', async () => {
  expect(await originWith(0, { host: 'db.example:3000' })).toBe('http://db.example:3000');
  expect(await originWith(0, { host: '[::1]:3000' })).toBe('http://[::1]:3000');
  expect(await originWith(0, forwarded)).toBe('http://inner:8080');
  expect(await originWith(1, forwarded)).toBe('https://api.example');
});

it.each(['a b', 'a/b', 'a"b', '<script>', 'user@host', 'a:b:c'])('a host that is none is refused: %s', async (host) => {
  expect(await originWith(0, { host })).toBe('400');
});
