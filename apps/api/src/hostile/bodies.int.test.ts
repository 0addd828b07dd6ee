/** Bodies that mean harm, or are broken: stored as they were sent or refused, by every route; never an accident, and nothing half done. */
import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { bytesOf, type HostileBody, hostileBodies } from './bodies.fixture.js';
import {
  createTally,
  eachOf,
  expectRefusal,
  expectTried,
  type HostileApi,
  missingId,
  startHostileApi,
} from './hostile.fixture.js';

const { env } = process;
const randomCount = Number(env.DOCUMENTS ?? 100_000);
const seed = Number(env.SEED ?? 7);

let hostile: HostileApi;
let cookie: string;
let documentId: string;
let keyId: string;

beforeAll(async () => {
  hostile = await startHostileApi();
  cookie = await hostile.signIn();
  ({ id: keyId } = await hostile.api.createKey());
  const made = await hostile.send({ method: 'POST', path: '/rest/target', body: '{"a":1}' });
  documentId = (JSON.parse(made.text) as { _id: string })._id;
});
afterEach(() => expect(hostile.api.accidents).toEqual([]));
afterAll(() => hostile.close());

type JsonObject = Record<string, unknown>;

/** What a client that sent this would call the same document. */
const meaningOf = (body: HostileBody) => asWritten(JSON.parse(bytesOf(body).toString('utf8'))) as JsonObject;

/** JSON has one zero: `-0` is written as `0`. */
const asWritten = (value: unknown): unknown => JSON.parse(JSON.stringify(value));

/** `_id` first, also before names that are numbers, which JavaScript would put in front. */
function ownText(_id: unknown, fields: JsonObject): string {
  const text = JSON.stringify(fields);
  return `{"_id":${JSON.stringify(_id)}${text === '{}' ? '' : ','}${text.slice(1)}`;
}

async function expectKept(path: string, sent: JsonObject, what: string): Promise<void> {
  const { status, text } = await hostile.send({ path });
  expect(status, what).toBe(200);
  const { _id, ...fields } = JSON.parse(text) as JsonObject;
  expect(isDeepStrictEqual(fields, sent), what).toBe(true);
  expect(text === ownText(_id, sent), what).toBe(true);
}

/** A problem says a part of the body at most. */
const echoOf = (body: HostileBody) => [bytesOf(body).subarray(0, 500).toString('utf8')];

const refused = hostileBodies.filter(({ fate }) => fate !== 'stored');

describe(`${hostileBodies.length} bodies`, { timeout: 120_000 }, () => {
  it('are stored by a POST so that they come back by value and by text, or refused with the status that fits', async () => {
    const tally = createTally();
    await eachOf(hostileBodies, 4, async (one) => {
      const answer = await hostile.send({
        method: 'POST',
        path: '/rest/bodies',
        body: one.body,
        headers: one.headers ?? {},
      });
      tally.note(answer);
      const what = `POST ${one.name}`;
      if (one.fate !== 'stored') {
        expect(`${what}: ${answer.status}`).toBe(`${what}: ${one.fate}`);
        return expectRefusal(answer, what, echoOf(one));
      }
      expect(`${what}: ${answer.status} ${answer.text.slice(0, 300)}`).toContain(`${what}: 201`);
      const { _id } = JSON.parse(answer.text) as { _id: string };
      await expectKept(`/rest/bodies/${_id}`, meaningOf(one), what);
    });
    expectTried('bodies of a POST', tally, 900);
  });

  it('replace a document by a PUT, or are refused with the same status and leave it', async () => {
    const tally = createTally();
    const path = `/rest/target/${documentId}`;
    let present: JsonObject = { a: 1 };
    for (const one of hostileBodies.filter((_, index) => index % 6 === 0)) {
      const answer = await hostile.send({
        method: 'PUT',
        path: `${path}?replace=true`,
        body: one.body,
        headers: one.headers ?? {},
      });
      tally.note(answer);
      const what = `PUT ${one.name}`;
      if (one.fate === 'stored') present = meaningOf(one);
      expect(`${what}: ${answer.status}`).toBe(`${what}: ${one.fate === 'stored' ? 200 : one.fate}`);
      await expectKept(path, present, what);
    }
    expectTried('bodies of a PUT', tally, 500);
    await hostile.send({ method: 'PUT', path: `${path}?replace=true`, body: '{"a":1}' });
  });

  it('that are refused are refused by every other route that takes a body, and nothing is stored', async () => {
    const tally = createTally();
    const routes: [method: string, path: string, type?: string][] = [
      ['PATCH', `/rest/target/${documentId}`],
      ['PATCH', `/rest/target/${documentId}`, 'application/merge-patch+json'],
      ['PATCH', `/rest/target/${documentId}`, 'application/json-patch+json'],
      ['PATCH', `/rest/target/*?q=${encodeURIComponent('{"a":1}')}`],
      ['DELETE', '/rest/target/*'],
      ['POST', '/api/setup'],
      ['POST', '/api/session'],
      ['PATCH', '/api/databases/default/settings'],
      ['POST', '/api/databases/default/keys'],
      ['PATCH', `/api/databases/default/keys/${keyId}`],
    ];
    const before = await hostile.takeStock();
    const asks = refused
      .filter((_, index) => index % 2 === 0)
      .flatMap((one, index) =>
        routes.filter((_, place) => place === index % routes.length).map((route) => ({ one, route })),
      );
    await eachOf(asks, 4, async ({ one, route: [method, path, type] }) => {
      const own = one.headers ?? (type === undefined ? {} : { 'content-type': type });
      const headers = { ...own, ...(path.startsWith('/api') ? { cookie } : {}) };
      const answer = await hostile.send({ method, path, body: one.body, headers });
      tally.note(answer);
      // An empty list of operations is a JSON Patch that changes nothing.
      if (type === 'application/json-patch+json' && one.body === '[]') return expect(answer.status).toBe(200);
      expectRefusal(answer, `${method} ${path} ${type ?? ''} ${one.name}`, echoOf(one));
    });
    expect(await hostile.takeStock()).toBe(before);
    expectTried('bodies of other routes', tally, 800);
  });

  it('as lines of one import are the documents and the refused lines that they are alone', async () => {
    const lines = hostileBodies.filter(
      ({ body, fate, headers }) =>
        typeof body === 'string' &&
        headers === undefined &&
        fate !== 413 &&
        body.trim() !== '' &&
        !/[\r\n]|^\[\{/.test(body),
    );
    // An import lists a thousand refused lines at most.
    for (const part of [lines.filter((_, index) => index % 2 === 0), lines.filter((_, index) => index % 2 === 1)]) {
      const body = part.map((one) => String(one.body)).join('\n');
      const answer = await hostile.send({ method: 'POST', path: '/rest/lines/import?format=ndjson', body });
      expect(answer.status).toBe(200);
      const { imported, refused: bad } = JSON.parse(answer.text) as { imported: number; refused: { line: number }[] };
      const told = new Set(bad.map(({ line }) => line));
      const wrong = part.filter(({ fate }, index) => told.has(index + 1) === (fate === 'stored'));
      expect(wrong.map(({ name }) => name)).toEqual([]);
      expect(imported).toBe(part.length - told.size);
    }
  });
});

describe('requests that carry a stranger body than their headers say', () => {
  it.each(['GET', 'DELETE', 'HEAD', 'OPTIONS'])('%s with a body is answered all the same', async (method) => {
    const answer = await hostile.send({ method, path: `/rest/target/${missingId}`, body: '{"a":' });
    expect(answer.status).toBeLessThan(500);
  });
});

describe('random documents', () => {
  it(`${randomCount} of them come back by value and by text, seed ${seed}`, { timeout: 120_000 }, async () => {
    const documents = fc.sample(anyDocument, { numRuns: randomCount, seed });
    const batches = inBatches(documents.map((document) => JSON.stringify(document)));
    const before = await hostile.api.connections.pool.query<{ head: number }>('SELECT head FROM log_heads');
    await eachOf(batches, 3, async (texts) => {
      const answer = await hostile.send({ method: 'POST', path: '/rest/random', body: `[${texts.join()}]` });
      expect(`${answer.status} ${answer.text.slice(0, 300)}`).toMatch(/^201 /);
      const stored = JSON.parse(answer.text) as JsonObject[];
      for (const [index, text] of texts.entries()) {
        const { _id, _created, _changed, _createdby, _changedby, _version, _keywords, _tags, ...fields } =
          stored[index] ?? {};
        if (!isDeepStrictEqual(fields, JSON.parse(text))) expect(fields).toEqual(JSON.parse(text));
      }
    });
    const exported = await hostile.send({ path: '/rest/random/export' });
    const texts = exported.text
      .trimEnd()
      .split('\n')
      .map((line) => line.replace(/^\{"_id":"[0-9a-f]{24}",?/, '{'));
    const sent = batches.flat().sort();
    expect(texts.length).toBe(randomCount);
    expect(texts.sort().findIndex((text, index) => text !== sent[index])).toBe(-1);
    const after = await hostile.api.connections.pool.query<{ head: number }>('SELECT head FROM log_heads');
    expect((after.rows[0]?.head ?? 0) - (before.rows[0]?.head ?? 0)).toBe(randomCount);
    console.info(
      `random documents: ${randomCount} in ${batches.length} requests, ${exported.text.length} characters, seed ${seed}`,
    );
  });
});

/** Values of every kind, few levels deep: all characters, all doubles, all orders of keys. The names that are refused are left out. */
const anyDocument = fc
  .letrec<{ value: unknown; fields: Record<string, unknown> }>((tie) => ({
    value: fc.oneof(
      { depthSize: 'small', maxDepth: 4 },
      fc.string({ unit: 'binary', maxLength: 12 }),
      fc.string({ unit: 'grapheme-ascii', maxLength: 12 }),
      fc.double({ noNaN: true, noDefaultInfinity: true }),
      fc.integer(),
      fc.maxSafeInteger(),
      fc.boolean(),
      fc.constant(null),
      fc.array(tie('value'), { maxLength: 4 }),
      tie('fields'),
    ),
    fields: fc.dictionary(
      fc.string({ unit: 'binary', maxLength: 8 }).filter((name) => !/^[_$]/.test(name)),
      tie('value'),
      { maxKeys: 5, noNullPrototype: true },
    ),
  }))
  .fields.filter((document) => isStorable(JSON.stringify(document)));

/** Of all that the generators make, only NUL cannot be kept. */
function isStorable(text: string): boolean {
  return !text.includes('\\u0000');
}

/** At most so many, and within the limit of a body. */
function inBatches(texts: readonly string[]): string[][] {
  const batches: string[][] = [];
  let size = Number.POSITIVE_INFINITY;
  for (const text of texts) {
    size += Buffer.byteLength(text) + 1;
    if (size > 1_000_000 || (batches.at(-1)?.length ?? 0) >= 2_000) {
      batches.push([]);
      size = Buffer.byteLength(text) + 3;
    }
    batches.at(-1)?.push(text);
  }
  return batches;
}
