/** A client that a public generator (npm's `oazapfts`) makes of /openapi.json is compiled in strict mode and used against the server. */
import { execFile } from 'node:child_process';
import { copyFile, mkdtemp, realpath, rm, symlink, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { createTestDatabase } from '@tidewire/testing/test-database';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startTestApi, type TestApi } from './api.fixture.js';

const execute = promisify(execFile);
const { resolve } = createRequire(import.meta.url);
const generator = join(dirname(resolve('oazapfts')), 'cli.cjs');
const compiler = join(dirname(resolve('typescript/package.json')), 'bin/tsc');
/** Where Node and the compiler find what the generated client imports. */
const modules = resolve('@oazapfts/runtime').split('/@oazapfts/')[0] ?? '';
const program = fileURLToPath(new URL('../generated-client/program.ts', import.meta.url));

let api: TestApi;
let folder: string;

beforeAll(async () => {
  const { address } = await createTestDatabase();
  api = await startTestApi(address);
  folder = await realpath(await mkdtemp(join(tmpdir(), 'tidewire-generated-')));
  await symlink(modules, join(folder, 'node_modules'), 'dir');
  await writeFile(join(folder, 'package.json'), '{"type":"module"}');
  await writeFile(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, include: ['*.ts'] }));
});
afterAll(async () => {
  await api.close();
  await rm(folder, { recursive: true });
});

const compilerOptions = {
  target: 'ES2023',
  lib: ['ES2023', 'DOM', 'DOM.Iterable'],
  module: 'NodeNext',
  strict: true,
  noUncheckedIndexedAccess: true,
  types: ['node'],
  outDir: 'out',
  rootDir: '.',
};

/** Runs a script of Node in the folder; rejects with what it printed when it fails. */
async function run(script: string, ...args: string[]): Promise<string> {
  const failure = (error: { stdout: string; stderr: string }) => {
    throw new Error(`${error.stdout}\n${error.stderr}`, { cause: error });
  };
  const { stdout } = await execute(process.execPath, [script, ...args], { cwd: folder }).catch(failure);
  return stdout;
}

async function generate(key: string | null, file: string): Promise<void> {
  const response = await fetch(`${api.url}/openapi.json`, key === null ? {} : { headers: { 'x-apikey': key } });
  await writeFile(join(folder, 'openapi.json'), await response.text());
  await run(generator, 'openapi.json', file);
}

test('a client generated from the description of a key compiles in strict mode and works, with typed problems', {
  timeout: 60_000,
}, async () => {
  const { key } = await api.createKey({ rest: ['*:*'], listen: ['*:company'] });
  // The first document makes the collection that the description is about.
  const headers = { 'x-apikey': key, 'content-type': 'application/json' };
  await fetch(`${api.url}/rest/company`, { method: 'POST', headers, body: '{"name":"Zoe","age":1}' });
  await generate(key, 'client.ts');
  await copyFile(program, join(folder, 'program.ts'));
  await run(compiler, '-p', '.');
  expect(JSON.parse(await run('out/program.js', api.url, key))).toEqual({
    created: { isId: true, _version: 0 },
    names: ['Grace'],
    got: { name: 'Ada', _version: 0 },
    updated: { age: 37, city: 'London', _version: 1 },
    late: 'precondition_failed',
    patched: 1,
    deleted: 1,
    missing: [404, 'not_found'],
    refused: ['/_nonsense'],
    events: ['post', 'post', 'post', 'post', 'put', 'put', 'delete'],
  });
  expect(api.accidents).toEqual([]);
});

test('a client generated from the general description, the admin API included, compiles in strict mode', {
  timeout: 60_000,
}, async () => {
  await rm(join(folder, 'program.ts'), { force: true });
  await generate(null, 'client.ts');
  await run(compiler, '-p', '.');
});
