import { once } from 'node:events';
import { request as httpRequest } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { eventually } from '@tidewire/testing/eventually';
import { createTestDatabase } from '@tidewire/testing/test-database';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestApi, type TestApi } from './api.fixture.js';

type Imported = { imported: number; refusedCount: number; refused: { line: number; message: string }[] };

let api: TestApi;
let fullKey: string;

beforeAll(async () => {
  const { address } = await createTestDatabase();
  api = await startTestApi(address);
  fullKey = (await api.createKey({ rest: ['*:*'] })).key;
});
afterAll(async () => {
  expect(api.accidents).toEqual([]);
  await api.close();
});

async function exported(collection: string, query = '', key = fullKey) {
  const response = await fetch(`${api.url}/rest/${collection}/export${query}`, { headers: { 'x-apikey': key } });
  return { status: response.status, headers: response.headers, text: await response.text() };
}

async function imported(collection: string, query: string, body: string | ReadableStream, headers = {}, key = fullKey) {
  const response = await fetch(`${api.url}/rest/${collection}/import${query}`, {
    method: 'POST',
    headers: { 'x-apikey': key, ...headers },
    body,
    duplex: 'half',
  } as RequestInit);
  return { status: response.status, headers: response.headers, body: (await response.json()) as Imported };
}

async function count(collection: string): Promise<number> {
  const { rows } = await api.connections.pool.query<{ n: number }>(
    'SELECT count(*) AS n FROM documents d JOIN collections c ON c.id = d.collection_id WHERE c.name = $1',
    [collection],
  );
  return rows[0]?.n ?? -1;
}

const lines = (documents: unknown[]) => documents.map((document) => `${JSON.stringify(document)}\n`).join('');
const manifold = [
  { b: 1, a: 'x', '2': 'two', '1': 'one' },
  {},
  { text: 'Grüße, "quoted"\nline\u2028 😀', nothing: null, yes: true, list: [1, [2, { deep: [] }]], n: -1.5e-7 },
  { big: 1e20, zero: 0, empty: '', object: {} },
];

describe('export and import', () => {
  it.each(['ndjson', 'json'])(
    'export as %s, import with keepIds and export again are the same bytes',
    async (format) => {
      await imported(`first-${format}`, '?format=ndjson', lines(manifold));
      const first = await exported(`first-${format}`, `?format=${format}`);
      expect(first.headers.get('x-total-count')).toBe('4');
      expect(first.headers.get('content-disposition')).toBe(`attachment; filename="first-${format}.${format}"`);
      const again = await imported(`second-${format}`, `?format=${format}&keepIds=true`, first.text);
      expect(again.body).toEqual({ imported: 4, refusedCount: 0, refused: [] });
      const second = await exported(`second-${format}`, `?format=${format}`);
      expect(second.text).toBe(first.text);
      expect(second.text).toContain('"2":"two"');
    },
  );

  it('an export with metafields imports to the same documents', async () => {
    await imported('meta', '?format=ndjson', lines(manifold));
    const withAll = await exported('meta', '?metafields=true');
    expect(withAll.text).toContain('"_keywords"');
    await imported('meta2', '?format=ndjson&keepIds=true', withAll.text);
    expect((await exported('meta2')).text).toBe((await exported('meta')).text);
  });

  it('CSV has one column for each field of any document and can be imported', async () => {
    await imported(
      'table',
      '?format=ndjson',
      lines([
        { name: 'A, "B"\nC', n: 7 },
        { n: 8, tags: ['x'], ok: false },
      ]),
    );
    const { text, headers } = await exported('table', '?format=csv');
    expect(headers.get('content-type')).toContain('text/csv');
    const cells = text.replace(/[0-9a-f]{24}/g, 'ID');
    expect(cells).toBe('_id,name,n,tags,ok\r\nID,"A, ""B""\nC",7,,\r\nID,,8,"[""x""]",false\r\n');
    expect((await imported('table2', '?keepIds=true', text, { 'content-type': 'text/csv' })).body.imported).toBe(2);
    expect((await exported('table2', '?format=csv')).text).toBe(text);
  });

  it('an empty or unknown collection exports as nothing', async () => {
    expect((await exported('nobody')).text).toBe('');
    expect(JSON.parse((await exported('nobody', '?format=json')).text)).toEqual([]);
    expect((await exported('nobody', '?format=csv')).text).toBe('_id\r\n');
    expect((await exported('nobody')).headers.get('x-total-count')).toBe('0');
  });

  it('an export is of one moment: what is written while it runs is not in it', async () => {
    const filler = 'x'.repeat(4_000);
    await imported('moment', '?format=ndjson', lines(Array.from({ length: 5_000 }, (_, n) => ({ n, filler }))));
    const response = await fetch(`${api.url}/rest/moment/export`, { headers: { 'x-apikey': fullKey } });
    await imported('moment', '?format=ndjson', lines([{ late: true }]));
    const text = await response.text();
    expect(text.split('\n')).toHaveLength(5_001);
    expect(text).not.toContain('late');
    expect((await exported('moment')).headers.get('x-total-count')).toBe('5001');
  });

  it('a client that goes away in the middle of an export leaves no connection behind', async () => {
    const opened = httpRequest(`${api.url}/rest/moment/export`, { headers: { 'x-apikey': fullKey } }).end();
    const [answer] = await once(opened, 'response');
    await once(answer, 'readable');
    answer.destroy();
    await eventually(async () => {
      const { rows } = await api.connections.pool.query(
        "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND state LIKE 'idle in transaction%'",
      );
      expect(rows).toEqual([]);
    });
  });

  it('a fourth export at the same time is told to come back', async () => {
    const opened = Array.from({ length: 3 }, () =>
      httpRequest(`${api.url}/rest/moment/export`, { headers: { 'x-apikey': fullKey }, agent: false }).end(),
    );
    const answers = await Promise.all(opened.map(async (one) => (await once(one, 'response'))[0]));
    const refused = await exported('moment');
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([429, '5']);
    for (const answer of answers) answer.destroy();
    await eventually(async () => expect((await exported('nobody')).status).toBe(200));
  });

  it('HEAD of an export says how much there is', async () => {
    const response = await fetch(`${api.url}/rest/moment/export`, { method: 'HEAD', headers: { 'x-apikey': fullKey } });
    expect([response.status, response.headers.get('x-total-count')]).toEqual([200, '5001']);
  });
});

describe('import', () => {
  it('writes the good rows, names the bad ones by line, and answers the last event', async () => {
    const body = '{"a":1}\n\nnonsense\n{"$set":1}\n{"_x":1}\n{"a":2}\n[1]\n';
    const { status, headers, body: answer } = await imported('mixed', '?format=ndjson', body);
    expect(status).toBe(200);
    expect(answer).toMatchObject({ imported: 2, refusedCount: 4 });
    expect(answer.refused.map(({ line }) => line)).toEqual([3, 4, 5, 7]);
    const { rows } = await api.connections.pool.query<{ head: number }>('SELECT head FROM log_heads');
    expect(headers.get('x-event-id')).toBe(String(rows[0]?.head));
  });

  it('lists a thousand refused rows and counts the rest', async () => {
    const { body } = await imported('refusals', '?format=ndjson', 'x\n'.repeat(1_500));
    expect([body.imported, body.refusedCount, body.refused.length]).toEqual([0, 1_500, 1_000]);
  });

  it('refuses a taken _id with keepIds, and gives a new one without', async () => {
    const row = '{"_id":"577cf185e2039b0900000016","a":1}\n';
    expect((await imported('ids', '?format=ndjson&keepIds=true', row)).body.imported).toBe(1);
    const again = await imported('ids', '?format=ndjson&keepIds=true', row);
    expect(again.body).toMatchObject({ imported: 0, refusedCount: 1, refused: [{ line: 1 }] });
    expect((await imported('ids', '?format=ndjson', row)).body.imported).toBe(1);
    expect(await count('ids')).toBe(2);
  });

  it('takes the format from the Content-Type, and asks for one when there is none', async () => {
    expect((await imported('typed', '', '[{"a":1}]', { 'content-type': 'application/json' })).body.imported).toBe(1);
    const { status, body } = await imported('typed', '', '{"a":1}', { 'content-type': 'text/plain' });
    expect({ status, body }).toMatchObject({ status: 415, body: { detail: expect.stringContaining('format=') } });
  });

  it('says how much was imported when the body turns out to be unreadable, and keeps it', async () => {
    const { status, body } = await imported('cut', '?format=json', `[${'{"a":1},'.repeat(700)}{"a":`);
    expect({ status, body }).toMatchObject({
      status: 400,
      body: { detail: expect.stringMatching(/ends before.*500 documents/) },
    });
    expect(await count('cut')).toBe(500);
    const wrong = await imported(
      'cut',
      '?format=ndjson',
      Readable.toWeb(Readable.from([Buffer.from([0x7b, 0xff])])) as ReadableStream,
    );
    expect(wrong).toMatchObject({ status: 400, body: { detail: expect.stringContaining('UTF-8') } });
  });

  it('writes what came before the client went away, and nothing after', async () => {
    const opened = httpRequest(`${api.url}/rest/gone/import?format=ndjson`, {
      method: 'POST',
      headers: { 'x-apikey': fullKey },
    });
    opened.on('error', () => undefined);
    opened.write('{"a":1}\n'.repeat(1_000));
    await eventually(async () => expect(await count('gone')).toBe(1_000));
    opened.write('{"a":2}\n'.repeat(10));
    opened.destroy();
    await api.connections.pool.query('SELECT pg_sleep(0.1)');
    expect(await count('gone')).toBe(1_000);
  });

  it('ends when its key loses the grant', async () => {
    const { id, key } = await api.createKey({ rest: ['POST:lost'] });
    const opened = httpRequest(`${api.url}/rest/lost/import?format=ndjson`, {
      method: 'POST',
      headers: { 'x-apikey': key },
    });
    const answered = once(opened, 'response');
    opened.write('{"a":1}\n'.repeat(500));
    await eventually(async () => expect(await count('lost')).toBe(500));
    await api.apiKeys.revoke(api.databaseId, id);
    opened.end('{"a":1}\n'.repeat(1_500));
    const [answer] = await answered;
    answer.resume();
    expect(answer.statusCode).toBe(401);
    expect(await count('lost')).toBeLessThanOrEqual(1_000);
  });

  it('needs POST on the collection, and an export GET', async () => {
    const { key } = await api.createKey({ rest: ['GET:seen', 'POST:written'] });
    expect((await imported('seen', '?format=ndjson', '{}', {}, key)).status).toBe(403);
    expect((await exported('written', '', key)).status).toBe(403);
    expect((await exported('seen', '', key)).status).toBe(200);
    expect((await imported('written', '?format=ndjson', '{}', {}, key)).status).toBe(200);
  });

  it.each(['?format=xml', '?format=ndjson&foo=1', '?format=ndjson&keepIds=yes'])('refuses %s', async (query) => {
    expect((await imported('params', query, '{}')).status).toBe(400);
  });

  it('makes no collection when writes must not', async () => {
    await api.settings.patch(api.databaseId, { collections: { createOnWrite: false } });
    expect((await imported('unmade', '?format=ndjson', '{}')).status).toBe(404);
    expect((await exported('unmade')).status).toBe(404);
    await api.settings.patch(api.databaseId, { collections: { createOnWrite: true } });
  });

  it('refuses a compressed body', async () => {
    const { status } = await imported('zip', '?format=ndjson', '{}', { 'content-encoding': 'gzip' });
    expect(status).toBe(415);
  });
});

describe('in bounded memory', () => {
  it('50,000 documents go in and out, and what lives in memory does not grow with their number', async () => {
    const filler = 'word '.repeat(200);
    const textBytes = 50_000 * 1_000;
    const whileImporting: number[] = [];
    const whileExporting: number[] = [];
    async function* rows() {
      for (let n = 0; n < 50_000; n += 1) {
        if (n % 5_000 === 0) whileImporting.push(livingBytes());
        yield Buffer.from(`{"n":${n},"filler":"${filler}"}\n`);
      }
    }
    // Not fetch, which keeps what it has sent of a streamed body.
    const opened = httpRequest(`${api.url}/rest/large/import?format=ndjson`, {
      method: 'POST',
      headers: { 'x-apikey': fullKey },
    });
    const answered = once(opened, 'response');
    await pipeline(Readable.from(rows(), { highWaterMark: 16 }), opened);
    const [answer] = await answered;
    expect(JSON.parse(Buffer.concat(await answer.toArray()).toString())).toMatchObject({
      imported: 50_000,
      refusedCount: 0,
    });
    const asked = httpRequest(`${api.url}/rest/large/export`, { headers: { 'x-apikey': fullKey } }).end();
    const [text] = await once(asked, 'response');
    let bytes = 0;
    let measuredAt = 0;
    let newlines = 0;
    for await (const chunk of text as AsyncIterable<Buffer>) {
      bytes += chunk.length;
      for (const byte of chunk) if (byte === 10) newlines += 1;
      if (bytes - measuredAt < textBytes / 10) continue;
      measuredAt = bytes;
      whileExporting.push(livingBytes());
    }
    expect([text.headers['x-total-count'], newlines]).toEqual(['50000', 50_000]);
    expect(bytes).toBeGreaterThan(textBytes);
    // Whoever kept all would grow by more than half of the text between the first three of these and the last three.
    for (const series of [whileImporting, whileExporting]) {
      expect(series.length).toBeGreaterThanOrEqual(10);
      const growth = meanOf(series.slice(-3)) - meanOf(series.slice(1, 4));
      expect(growth, `living bytes: ${series.join()}`).toBeLessThan(0.3 * textBytes);
    }
  }, 90_000);
});

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

const meanOf = (numbers: number[]) => numbers.reduce((sum, number) => sum + number, 0) / numbers.length;

/** What is still referred to: the heap and the buffers beside it, without what only waits to be collected. */
function livingBytes(): number {
  collectGarbage();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}
