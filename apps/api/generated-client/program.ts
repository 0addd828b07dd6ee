// What a user writes with a client that was generated from /openapi.json: compiled in strict mode beside that client, and run, by
// src/generated-client.int.test.ts. Takes the server's address and a key, and prints what it saw as JSON.
import {
  createDocumentsCompany,
  type Document,
  defaults,
  deleteDocumentsCompany,
  getDocumentCompany,
  listDocumentsCompany,
  type Problem,
  patchDocumentCompany,
  pollEvents,
  updateDocumentCompany,
} from './client.js';

const [address = '', key = ''] = process.argv.slice(2);
defaults.baseUrl = address;
defaults.headers = { 'x-apikey': key };

const isDocument = (value: object): value is Document => '_id' in value;

/** The data of an answer that is expected to be good. */
function good<T extends { status: number }>(answer: T, status: T['status']): T {
  if (answer.status !== status) throw new Error(`${answer.status}: ${JSON.stringify(answer)}`);
  return answer;
}

const created = await createDocumentsCompany({ name: 'Ada', age: 36 }, { idempotencyKey: 'first' });
if (created.status !== 201 || Array.isArray(created.data)) throw new Error(JSON.stringify(created));
const { _id, _version } = created.data;
good(await createDocumentsCompany([{ name: 'Grace', age: 85 }, { name: 'Alan' }]), 201);

const list = await listDocumentsCompany({
  q: JSON.stringify({ age: { $gt: 40 } }),
  sort: ['age', 'name'],
  dir: ['-1', '1'],
});
if (list.status !== 200 || !Array.isArray(list.data)) throw new Error(JSON.stringify(list));
const names = list.data.filter(isDocument).map(({ name }) => name);

const got = await getDocumentCompany(_id, { metafields: true });
if (got.status !== 200) throw new Error(JSON.stringify(got));
// @ts-expect-error A document is no problem.
const notProblem: Problem = got.data;
void notProblem;

const updated = await updateDocumentCompany(
  _id,
  { city: 'London', $inc: { age: 1 } },
  { ifMatch: got.headers.get('etag') ?? '' },
);
if (updated.status !== 200) throw new Error(JSON.stringify(updated));
const late = await updateDocumentCompany(_id, { city: 'Paris' }, { ifMatch: got.headers.get('etag') ?? '' });
const patched = await patchDocumentCompany('*', { seen: true }, { q: JSON.stringify({ city: 'London' }) });

const deleted = await deleteDocumentsCompany(_id);
const missing = await getDocumentCompany(_id);
// @ts-expect-error Before its status is known an answer may be a document or a problem.
void missing.data.code;
if (missing.status !== 404) throw new Error(JSON.stringify(missing));
const problem: Problem = missing.data;
// @ts-expect-error No problem has this code.
if (problem.code === 'no_such_code') throw new Error('never');

const refused = await createDocumentsCompany({ _nonsense: 1 });
const events = await pollEvents({ since: 0 });

console.log(
  JSON.stringify({
    created: { isId: /^[0-9a-f]{24}$/.test(_id), _version },
    names,
    got: { name: got.data.name, _version: got.data._version },
    updated: { age: updated.data.age, city: updated.data.city, _version: updated.data._version },
    late: late.status === 412 ? late.data.code : late.status,
    patched: patched.status === 200 && 'result' in patched.data ? patched.data.count : patched.status,
    deleted: deleted.status === 200 ? deleted.data.result.length : deleted.status,
    missing: [problem.status, problem.code],
    refused: refused.status === 422 ? refused.data.errors.map(({ field }) => field) : refused.status,
    events: events.status === 200 && 'data' in events.data ? events.data.data.map(({ type }) => type) : events.status,
  }),
);
