/** The fields of the server are the server's: whatever a client sends in their place, in any form, by any way, they stay what they are. */
import { metafields, parentFields } from '@tidewire/protocol/names';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import {
  type Answer,
  type Ask,
  createTally,
  expectRefusal,
  expectTried,
  type HostileApi,
  startHostileApi,
} from './hostile.fixture.js';

let hostile: HostileApi;

beforeAll(async () => {
  hostile = await startHostileApi();
});
afterEach(() => expect(hostile.api.accidents).toEqual([]));
afterAll(() => hostile.close());

/** Ours by name, which clients send back and which are left out in silence; and what other servers call theirs, which is refused. */
const ours: readonly string[] = [...metafields, ...parentFields];
const others = [
  '_seq',
  '_rev',
  '_db',
  '_keys',
  '_updated',
  '_createdBy',
  '_owner',
  '_acl',
  '_collection',
  '_event',
  '_',
  '__v',
  '__proto__',
  '_ID',
];
const inherited = ['constructor', 'prototype'];
const forgedId = '000000000000000000000001';
/** What somebody would like the field to be. */
const forged: Record<string, unknown> = { _id: forgedId, _version: 999, _keywords: ['forged'], _tags: 'forged' };
const forgedValue = (name: string) =>
  JSON.stringify(
    Object.hasOwn(forged, name) ? forged[name] : name.startsWith('_c') ? '1999-01-01T00:00:00.000Z' : 'forged',
  );

type Row = {
  id: string;
  version: number;
  created_at: string;
  created_by: string;
  changed_by: string;
  body: string;
  collection: string;
  changed_at: string;
};

/** As Postgres has it, of all collections. */
async function rowsOf(): Promise<Map<string, Row>> {
  const { rows } = await hostile.api.connections.pool.query<Row>(
    `SELECT d.id, d.version, d.created_at::text, d.changed_at::text, d.created_by, d.changed_by, d.body::text, c.name AS collection
     FROM documents d JOIN collections c ON c.id = d.collection_id`,
  );
  return new Map(rows.map((row) => [row.id, row]));
}

async function create(): Promise<string> {
  const { text } = await hostile.send({
    method: 'POST',
    path: '/rest/target',
    body: '{"a":{"b":1},"list":[1],"n":1,"name":"own words"}',
  });
  known = await rowsOf();
  return (JSON.parse(text) as { _id: string })._id;
}

/** Forms of one pair: at the root, below a field, dotted. `{name:value}` and so on, without the braces, since JSON text keeps `__proto__`. */
const forms: Record<string, (name: string) => string> = {
  'at the root': (name) => `${JSON.stringify(name)}:${forgedValue(name)}`,
  nested: (name) => `"a":{${JSON.stringify(name)}:${forgedValue(name)}}`,
  dotted: (name) => `${JSON.stringify(`${name}.x`)}:${forgedValue(name)}`,
  'in escapes': (name) => `"\\u005f${name.slice(1)}":${forgedValue(name)}`,
};

const json = 'application/json';
type Way = { method: string; path(id: string): string; type?: string; body(pair: string): string };
const document = (id: string) => `/rest/target/${id}`;
const matching = (id: string) => `/rest/target/*?q=${encodeURIComponent(JSON.stringify({ _id: id }))}`;
const ways: Record<string, Way> = {
  POST: { method: 'POST', path: () => '/rest/target', body: (pair) => `{${pair}}` },
  'POST of several': { method: 'POST', path: () => '/rest/target', body: (pair) => `[{"n":2},{${pair}}]` },
  PUT: { method: 'PUT', path: document, body: (pair) => `{"n":2,${pair}}` },
  'PUT that replaces': { method: 'PUT', path: (id) => `${document(id)}?replace=true`, body: (pair) => `{${pair}}` },
  PATCH: { method: 'PATCH', path: document, body: (pair) => `{${pair}}` },
  'merge patch': { method: 'PATCH', path: document, type: 'application/merge-patch+json', body: (pair) => `{${pair}}` },
  'PATCH by a query': { method: 'PATCH', path: matching, body: (pair) => `{${pair}}` },
  $set: { method: 'PATCH', path: document, body: (pair) => `{"$set":{${pair}}}` },
  import: { method: 'POST', path: () => '/rest/target/import?format=ndjson', body: (pair) => `{${pair}}\n` },
  'import that keeps ids': {
    method: 'POST',
    path: () => '/rest/kept/import?format=ndjson&keepIds=true',
    body: (pair) => `{${pair}}\n`,
  },
  'import as an array': {
    method: 'POST',
    path: () => '/rest/target/import?format=json',
    body: (pair) => `[{${pair}}]`,
  },
};

/** Operators and operations that name a place instead of holding a pair. */
const places: Record<string, (name: string) => { type: string; body: string }> = {
  $unset: (name) => ({ type: json, body: `{"$unset":{${JSON.stringify(name)}:1}}` }),
  $inc: (name) => ({ type: json, body: `{"$inc":{${JSON.stringify(name)}:5}}` }),
  $min: (name) => ({ type: json, body: `{"$min":{${JSON.stringify(name)}:-1}}` }),
  $max: (name) => ({ type: json, body: `{"$max":{${JSON.stringify(name)}:"zzz"}}` }),
  $push: (name) => ({ type: json, body: `{"$push":{${JSON.stringify(name)}:"forged"}}` }),
  $addToSet: (name) => ({ type: json, body: `{"$addToSet":{${JSON.stringify(`${name}.0`)}:"forged"}}` }),
  $pull: (name) => ({ type: json, body: `{"$pull":{${JSON.stringify(name)}:"own"}}` }),
  add: (name) => operation({ op: 'add', path: `/${name}`, value: 'forged' }),
  'add below': (name) => operation({ op: 'add', path: `/${name}/x`, value: 'forged' }),
  replace: (name) => operation({ op: 'replace', path: `/${name}`, value: 'forged' }),
  remove: (name) => operation({ op: 'remove', path: `/${name}` }),
  'move to': (name) => operation({ op: 'move', from: '/n', path: `/${name}` }),
  'move from': (name) => operation({ op: 'move', from: `/${name}`, path: '/stolen' }),
  'copy to': (name) => operation({ op: 'copy', from: '/n', path: `/${name}` }),
  'merge patch that removes': (name) => ({
    type: 'application/merge-patch+json',
    body: `{${JSON.stringify(name)}:null}`,
  }),
};
function operation(one: Record<string, unknown>): { type: string; body: string } {
  return { type: 'application/json-patch+json', body: JSON.stringify([one]) };
}

const tally = createTally();

/** What was there after the request before. */
let known = new Map<string, Row>();
const isSameRow = (a: Row, b: Row | undefined) =>
  a.version === b?.version &&
  a.body === b.body &&
  a.changed_at === b.changed_at &&
  a.created_at === b.created_at &&
  a.created_by === b.created_by;

/** Sends it, then looks at every document: of those that were there the server's fields are what they were, new ones have what the server gives. */
async function expectOwnFields(ask: Ask, what: string, mayKeepId = false): Promise<Answer> {
  const before = known;
  const answer = await hostile.send(ask);
  tally.note(answer);
  const after = await rowsOf();
  known = after;
  for (const [id, row] of before) {
    const present = after.get(id);
    if (isSameRow(row, present)) continue;
    const { created_at, created_by, changed_by, collection } = row;
    const own = { id, created_at, created_by, changed_by, collection, version: row.version + 1 };
    expect(present, `${what}: ${id}`).toMatchObject(own);
    expect(answer.status, `${what}: changed ${id}`).toBeLessThan(300);
  }
  for (const [id, row] of after) {
    if (isSameRow(row, before.get(id))) continue;
    const names = Object.keys(JSON.parse(row.body) as object).filter((name) => name.startsWith('_'));
    expect(names, what).toEqual([]);
    if (before.has(id)) continue;
    expect(row, what).toMatchObject({ version: 0, created_by: 'api', changed_by: 'api' });
    expect(`${row.created_at} ${row.changed_at}`, what).not.toContain('1999');
    if (!mayKeepId) expect(id, what).not.toBe(forgedId);
  }
  if (answer.status >= 400) {
    expectRefusal(answer, what);
    expect(after.size, what).toBe(before.size);
  }
  return answer;
}

describe('fields of the server', { timeout: 60_000 }, () => {
  it.each(Object.entries(ways))(
    'by %s are never taken, in any form',
    async (name, { method, path, type = json, body }) => {
      const id = await create();
      for (const [form, pairOf] of Object.entries(forms)) {
        for (const field of [...ours, ...others, ...inherited]) {
          if (form === 'in escapes' && !field.startsWith('_')) continue;
          const what = `${name}, ${form}: ${field}`;
          const isRefused = others.includes(field) && (form !== 'nested' || field === '__proto__');
          const answer = await expectOwnFields(
            { method, path: path(id), headers: { 'content-type': type }, body: body(pairOf(field)) },
            what,
            name === 'import that keeps ids',
          );
          if (!isRefused) continue;
          // An import goes on past the line that it refuses.
          if (name.startsWith('import')) expect(answer.text, what).toContain('"imported":0,"refusedCount":1');
          else expect(`${what}: ${answer.status}`).toBe(`${what}: 422`);
        }
      }
    },
  );

  it.each(Object.entries(places))('are not reached by %s', async (name, askFor) => {
    const id = await create();
    for (const field of [...ours, ...others]) {
      const { type, body } = askFor(field);
      const what = `${name}: ${field}`;
      const answer = await expectOwnFields(
        { method: 'PATCH', path: document(id), headers: { 'content-type': type }, body },
        what,
      );
      // In a merge patch they are what a client sends back of them: left out.
      const isLeftOut = name.startsWith('merge patch') && ours.includes(field) && field !== '_id';
      expect(`${what}: ${answer.status}`).toBe(`${what}: ${isLeftOut ? 200 : 422}`);
    }
  });

  it('as a whole document that was read and sent back change nothing but the version', async () => {
    const id = await create();
    const { text } = await hostile.send({ path: `${document(id)}?metafields=true` });
    for (const [method, suffix] of [
      ['PUT', ''],
      ['PUT', '?replace=true'],
      ['PATCH', ''],
    ]) {
      const answer = await expectOwnFields({ method, path: document(id) + suffix, body: text }, `${method}${suffix}`);
      expect(answer.status).toBe(200);
    }
    const { _id, a, list, n, name } = JSON.parse((await hostile.send({ path: document(id) })).text) as Record<
      string,
      unknown
    >;
    expect({ _id, a, list, n, name }).toEqual({ _id: id, a: { b: 1 }, list: [1], n: 1, name: 'own words' });
  });

  it('with the _id of another document are refused, in the body and in the list of a bulk', async () => {
    const [id, other] = [await create(), await create()];
    for (const _id of [other, forgedId, null, 1, '', { $ne: null }, [id], id.toUpperCase()]) {
      for (const method of ['POST', 'PUT', 'PATCH']) {
        const body = JSON.stringify({ _id, n: 3 });
        const answer = await expectOwnFields(
          { method, path: method === 'POST' ? '/rest/target' : document(id), body },
          `${method} ${body}`,
        );
        expect(`${method} ${body}: ${answer.status}`).toBe(`${method} ${body}: 422`);
      }
    }
  });

  it('of another document or a malformed _id do not come by an import that keeps ids', async () => {
    const id = await create();
    for (const _id of [id, id.toUpperCase(), 'x', '', null, 1, {}, [], `${id}0`, '0'.repeat(23)]) {
      const body = `${JSON.stringify({ _id, n: 4 })}\n`;
      const path = '/rest/target/import?format=ndjson&keepIds=true';
      const answer = await expectOwnFields({ method: 'POST', path, body }, body, true);
      expect(answer.text, body).toContain('"imported":0,"refusedCount":1');
    }
  });

  it('in CSV are columns that are left out', async () => {
    const columns = ours.filter((name) => name !== '_id');
    const body = `${[...columns, 'n'].join()}\r\n${columns.map(() => 'forged').join()},5\r\n`;
    const answer = await expectOwnFields({ method: 'POST', path: '/rest/target/import?format=csv', body }, 'CSV');
    expect(answer.text).toContain('"imported":1');
  });

  it('were tried by every way', () => expectTried('fields of the server', tally, 220));
});
