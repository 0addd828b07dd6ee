import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { makeCatalogKey } from '@tidewire/db/catalog.fixture';
import { expect, test } from 'vitest';
import { admitOrigin, allowReadingRetry } from './cors.js';

const app = 'https://app.example';

/** What the answer to a page of that origin says of who may read it. */
async function headersFor(origin: string, answer: RequestListener): Promise<(string | null)[]> {
  const server = createServer((request, response) => {
    answer(request, response);
    response.end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const { headers } = await fetch(`http://127.0.0.1:${port}/`, { headers: { origin, connection: 'close' } });
  await new Promise((resolve) => server.close(resolve));
  return ['origin', 'credentials'].map((name) => headers.get(`access-control-allow-${name}`));
}

const keyFor = (origins: string[]) => makeCatalogKey({ origins });

test('pages of an origin that the key names may ask with credentials; those that its * lets in may not', async () => {
  const admit = (origins: string[]) => headersFor(app, (...both) => admitOrigin(keyFor(origins), ...both));
  expect(await admit([app])).toEqual([app, 'true']);
  expect(await admit(['*', app])).toEqual([app, 'true']);
  expect(await admit(['*'])).toEqual([app, null]);
});

test('an answer that only says when to come back is readable by every page, and widens nothing that was admitted', async () => {
  expect(await headersFor(app, allowReadingRetry)).toEqual([app, 'true']);
  const admitted = await headersFor(app, (...both) => {
    admitOrigin(keyFor(['*']), ...both);
    allowReadingRetry(...both);
  });
  expect(admitted).toEqual([app, null]);
});
