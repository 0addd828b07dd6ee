/** The names that every JavaScript object has, wherever a client can write a name: never more than a name. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import {
  type Ask,
  createTally,
  escapeText,
  expectNoInternals,
  expectTried,
  type HostileApi,
  missingId,
  startHostileApi,
} from './hostile.fixture.js';

const names = [
  '__proto__',
  'constructor',
  'prototype',
  'constructor.prototype',
  '__proto__.polluted',
  'constructor.prototype.polluted',
  'a.__proto__.polluted',
  'a.constructor.prototype.polluted',
  '__proto__[polluted]',
  '__proto__.__proto__',
  '__defineGetter__',
  '__lookupSetter__',
  'toString',
  'hasOwnProperty',
  'valueOf',
  'then',
];

const builtIns = [Object, Array, Function, String, Number, Boolean, Promise, Map, Error].map((one) => one.prototype);
const shapeOf = () =>
  builtIns.map((prototype) => Reflect.ownKeys(prototype).map((name) => [name, describeProperty(prototype, name)]));
function describeProperty(prototype: object, name: PropertyKey): unknown {
  const { value, get, set } = Object.getOwnPropertyDescriptor(prototype, name) ?? {};
  return value ?? get ?? set;
}

let hostile: HostileApi;
let cookie: string;
let documentId: string;
const untouched = shapeOf();

beforeAll(async () => {
  hostile = await startHostileApi();
  cookie = await hostile.signIn();
  const made = await hostile.send({ method: 'POST', path: '/rest/target', body: '{"a":{"b":1},"n":1,"list":[1]}' });
  documentId = (JSON.parse(made.text) as { _id: string })._id;
});
afterEach(() => {
  expect(hostile.api.accidents).toEqual([]);
  expectUnpolluted('the test');
});
afterAll(() => hostile.close());

function expectUnpolluted(after: string): void {
  const probe: Record<string, unknown> = {};
  expect([after, probe.polluted, probe.a, Object.keys(Object.getPrototypeOf(probe))]).toEqual([
    after,
    undefined,
    undefined,
    [],
  ]);
  for (const key in probe) expect(`${after}: ${key}`).toBe('nothing');
}

const q = escapeText;
const json = (value: unknown) => q(JSON.stringify(value));
const polluting = '{"polluted":true}';
/** As JSON text, for an object of JavaScript could not hold them. */
const pair = (name: string, value: string) => `{${JSON.stringify(name)}:${value}}`;
const change = (type: string, body: string): Ask => ({
  method: 'PATCH',
  path: `/rest/target/${documentId}`,
  headers: { 'content-type': type },
  body,
});
const plain = 'application/json';
const patch = (operations: unknown) => change('application/json-patch+json', JSON.stringify(operations));
const list = (query: string): Ask => ({ path: `/rest/target?${query}` });
const pointer = (name: string) => `/${name.replaceAll('.', '/')}`;

const places: Record<string, (name: string) => Ask> = {
  'a field of a new document': (name) => ({ method: 'POST', path: '/rest/target', body: pair(name, polluting) }),
  'a field deep in one of many': (name) => ({
    method: 'POST',
    path: '/rest/target',
    body: `[{"a":[${pair(name, pair(name, polluting))}]}]`,
  }),
  'a field of a PUT': (name) => ({ method: 'PUT', path: `/rest/target/${documentId}`, body: pair(name, polluting) }),
  'a field of a replacing PUT': (name) => ({
    method: 'PUT',
    path: `/rest/target/${documentId}?replace=true`,
    body: `{"a":${pair(name, polluting)},"n":1,"list":[1]}`,
  }),
  'a field of a PATCH': (name) => change(plain, pair(name, polluting)),
  'a merge patch': (name) => change('application/merge-patch+json', pair(name, polluting)),
  'a merge patch that removes': (name) => change('application/merge-patch+json', `{"a":${pair(name, 'null')}}`),
  'the path of a JSON Patch': (name) => patch([{ op: 'add', path: pointer(name), value: { polluted: true } }]),
  'the path of a JSON Patch, in full': (name) => patch([{ op: 'replace', path: `/a/${name}`, value: true }]),
  'what a JSON Patch copies': (name) => patch([{ op: 'copy', from: pointer(name), path: '/a/c' }]),
  'where a JSON Patch moves to': (name) => patch([{ op: 'move', from: '/n', path: pointer(name) }]),
  'what a JSON Patch removes': (name) => patch([{ op: 'remove', path: pointer(name) }]),
  'the operation of a JSON Patch': (name) => patch([{ op: name, path: '/a', value: 1 }]),
  'the value of a JSON Patch': (name) =>
    change('application/json-patch+json', `[{"op":"add","path":"/a","value":${pair(name, polluting)}}]`),
  $set: (name) => change(plain, `{"$set":${pair(name, polluting)}}`),
  $unset: (name) => change(plain, `{"$unset":${pair(name, '1')}}`),
  $inc: (name) => change(plain, `{"$inc":${pair(name, '1')}}`),
  '$push and $each': (name) => change(plain, `{"$push":${pair(name, '{"$each":[1]}')}}`),
  'what $pull takes out': (name) => change(plain, `{"$pull":{"list":${pair(name, polluting)}}}`),
  'an operator': (name) => change(plain, `{"$${name}":{"a":1}}`),
  'the field of a filter': (name) => list(`q=${q(pair(name, '1'))}`),
  'the value of a filter': (name) => list(`q=${q(`{"a":${pair(name, polluting)}}`)}`),
  'an operator of a filter': (name) => list(`q=${q(`{"a":${pair(`$${name}`, '1')}}`)}`),
  'a field within $elemMatch': (name) => list(`q=${q(`{"list":{"$elemMatch":${pair(name, '1')}}}`)}`),
  'words of a filter': (name) => list(`filter=${q(name)}`),
  'the field of an order': (name) => list(`sort=${q(name)}&dir=-1&max=1`),
  'the field of an order in h': (name) => list(`h=${q(`{"$orderby":${pair(name, '1')}}`)}`),
  'a field to show': (name) => list(`h=${q(`{"$fields":${pair(name, '1')}}`)}`),
  'a field to hide': (name) => list(`h=${q(`{"$fields":${pair(name, '0')}}`)}`),
  'a group': (name) => list(`groupby=${q(name)}&aggregate=COUNT:`),
  'an aggregate': (name) => list(`aggregate=${q(`SUM:${name}`)}&aggregate=${q(`COUNT:${name}`)}`),
  'the function of an aggregate': (name) => list(`aggregate=${q(`${name}:a`)}`),
  'a hint': (name) => list(`h=${q(pair(name, polluting))}`),
  'a parameter': (name) => list(`${q(name)}=true`),
  'a parameter in brackets': (name) => list(`${q(name)}[polluted]=true&q[${q(name)}]=1`),
  'a format': (name) => list(`format=${q(name)}`),
  'the format of an export': (name) => ({ path: `/rest/target/export?format=${q(name)}` }),
  'the type of an import': (name) => ({
    method: 'POST',
    path: '/rest/target/import',
    headers: { 'content-type': q(name) },
    body: '{}',
  }),
  'a column of an import': (name) => ({
    method: 'POST',
    path: '/rest/imported/import?format=csv',
    body: `${name},b\r\n1,2\r\n`,
  }),
  'a line of an import': (name) => ({
    method: 'POST',
    path: '/rest/imported/import?format=ndjson',
    body: `${pair(name, polluting)}\n`,
  }),
  'a collection': (name) => ({ path: `/rest/${q(name)}` }),
  'a document': (name) => ({ path: `/rest/target/${q(name)}` }),
  'an event': (name) => ({ path: `/rest/target/${missingId}/asof/${q(name)}` }),
  'an idempotency key': (name) => ({
    method: 'POST',
    path: '/rest/target',
    headers: { 'idempotency-key': name },
    body: '{"k":1}',
  }),
  'a header': (name) => ({ path: '/rest/target?max=1', headers: { [name.replaceAll(/[[\]]/g, '')]: polluting } }),
  'the key': (name) => ({ path: '/rest/target', headers: { 'x-apikey': name } }),
  'a preference': (name) => ({
    method: 'POST',
    path: '/rest/target',
    headers: { prefer: `${name}=minimal` },
    body: '{"k":1}',
  }),
  'a setting': (name) => ({
    method: 'PATCH',
    path: '/api/databases/default/settings',
    headers: { cookie },
    body: `{"realtime":${pair(name, 'true')}}`,
  }),
  'a field of a new key': (name) => ({
    method: 'POST',
    path: '/api/databases/default/keys',
    headers: { cookie },
    body: `{"name":"x",${pair(name, polluting).slice(1)}`,
  }),
  'the method of a grant': (name) => ({
    method: 'POST',
    path: '/api/databases/default/keys',
    headers: { cookie },
    body: JSON.stringify({ name: 'x', rest: [`${name}:a`] }),
  }),
  'a database': (name) => ({ path: `/api/databases/${q(name)}`, headers: { cookie } }),
  'a field of a sign-in': (name) => ({
    method: 'POST',
    path: '/api/session',
    body: `{"email":"a@b.example","password":"x",${pair(name, polluting).slice(1)}`,
  }),
};

const tally = createTally();

describe(`${names.length} names of every object`, { timeout: 60_000 }, () => {
  it.each(Object.entries(places))(
    'as %s: an answer or a refusal, and no object has become another',
    async (place, askFor) => {
      for (const name of names) {
        const answer = await hostile.send(askFor(name));
        tally.note(answer);
        const what = `${place}: ${name} → ${answer.status}`;
        expect(`${what} ${answer.text.slice(0, 200)}`).toMatch(/→ [24]\d\d /);
        expectNoInternals(answer.text, what, [name]);
        expectUnpolluted(what);
      }
      expect(shapeOf()).toEqual(untouched);
    },
  );

  it('as fields of documents, where they are not refused, are fields like any other', async () => {
    for (const name of names.filter((one) => !one.startsWith('_'))) {
      const body = `{${JSON.stringify(name)}:{${JSON.stringify(name)}:[1]}}`;
      const made = await hostile.send({ method: 'POST', path: '/rest/named', body });
      const { _id } = JSON.parse(made.text) as { _id: string };
      expect((await hostile.send({ path: `/rest/named/${_id}` })).text).toBe(`{"_id":"${_id}",${body.slice(1)}`);
      const found = await hostile.send({
        path: `/rest/named?q=${json({ _id })}&h=${json({ $fields: { [name]: 1 } })}`,
      });
      const shown = JSON.parse(found.text) as Record<string, unknown>[];
      expect(Object.keys(shown[0] ?? {})).toEqual(name.includes('.') ? ['_id'] : ['_id', name]);
    }
  });

  it('are not taken for fields that a document has', async () => {
    const { text } = await hostile.send({ method: 'POST', path: '/rest/bare', body: '{"a":{"b":1}}' });
    const { _id } = JSON.parse(text) as { _id: string };
    for (const name of names) {
      const exists = await hostile.send({ path: `/rest/bare?q=${json({ [`${name}`]: { $exists: true } })}` });
      if (exists.status === 200) expect(`${name} ${exists.text}`).toBe(`${name} []`);
      const group = await hostile.send({ path: `/rest/bare?groupby=${q(name)}` });
      if (group.status === 200) expect(`${name} ${group.text}`).toBe(`${name} [{"groupkey":[null]}]`);
    }
    expect(JSON.parse((await hostile.send({ path: `/rest/bare/${_id}` })).text)).toEqual({ _id, a: { b: 1 } });
  });

  it('were tried in all places', () => expectTried('names of every object', tally, 120));
});
