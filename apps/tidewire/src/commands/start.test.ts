import { createServer } from 'node:http';
import { listen } from '@tidewire/server-kit/lifecycle-server';
import { expect, test } from 'vitest';
import { answerStarting } from './start.js';

test('while the server starts, a stream of a page of any origin may read when to come back, so that its EventSource does not give up', async () => {
  const server = createServer(answerStarting);
  const port = await listen(server, { host: '127.0.0.1', port: 0 });
  const origin = 'https://app.example';
  const headers = { accept: 'text/event-stream', origin, connection: 'close' };
  const answer = await fetch(`http://127.0.0.1:${port}/realtime`, { headers });
  expect([answer.status, await answer.text()]).toEqual([200, 'retry: 1000\n\n']);
  expect(answer.headers.get('access-control-allow-origin')).toBe(origin);
  expect(answer.headers.get('access-control-allow-credentials')).toBe('true');
  const other = await fetch(`http://127.0.0.1:${port}/rest/company`, { headers: { connection: 'close' } });
  expect([other.status, other.headers.get('retry-after')]).toEqual([503, '1']);
  server.close();
});
