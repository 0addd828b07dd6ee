/**
 * `npm run timing -w bench`: whether the time of a refusal tells what was wrong. Pairs of requests, interleaved at random: keys of which nobody has the id against keys whose id is known and whose secret is
 * wrong; tokens whose signature is wrong from its first byte on against those in which it is wrong at the end; and sign-ins of an address that nobody has against those with a wrong password, of admins and of
 * users of an application. Every key, token and unknown address is a new one, so nothing is remembered of it.
 *
 * Compared by Welch's t, of the samples that are not among the slowest tenth (a pause of the machine is no news of a secret; so does dudect, Reparaz, Balasch and Verbauwhede, 2017), and by the medians.
 * More than 4.5 in t together with a difference of the medians of more than 1 % is a fault; either alone is said. It wants a machine that does nothing else.
 */
import http from 'node:http';
import { join } from 'node:path';
import { createApiKey } from '@tidewire/access/api-key';
import { startEmbeddedPostgres } from '@tidewire/db/embedded-postgres/embedded-postgres';
import { createSqlPool } from '@tidewire/db/sql-pool';
import { createRandom } from '../chaos/random.mjs';
import { createKey, freePort, makeFolder, startTidewire } from '../kit/product.mjs';
import { median, percentile, welchT } from '../kit/statistics.mjs';
import { admin, callAdmin, issuerSecret, issuerSettings, signIn, signToken } from './admin-calls.mjs';
import { runTrials } from './trial-program.mjs';
import { urlOf } from './two-servers.mjs';

const tLimit = 4.5;
const medianLimit = 0.01;
const warmUp = 50;
const user = { email: 'user@example.org', password: 'a password of a user' };

async function run({ count, seed, isOver, progress, onCleanup }) {
  const { port, pool, key } = await startServer(onCleanup);
  const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
  onCleanup(() => agent.destroy());
  const id = key.split('_')[1];
  const refused = (options) => timeOf({ port, agent, ...options }, 401);
  const withKey = (text) => () => refused({ path: '/rest/company', headers: { 'x-apikey': text } });
  const withToken = (text) => () => refused({ path: '/rest/company', headers: { authorization: `Bearer ${text}` } });
  const signInAt = (path, email) => async () => {
    await pool.query('DELETE FROM login_throttles');
    const body = JSON.stringify({ email, password: 'not the one that is right' });
    const headers = { 'content-type': 'application/json', ...(path === '/auth/login' ? { 'x-apikey': key } : {}) };
    return refused({ path, method: 'POST', headers, body });
  };
  const exp = Math.floor(Date.now() / 1_000) + 86_400;
  const pairs = [
    {
      name: 'keys: unknown id, wrong secret',
      make: [() => withKey(createApiKey().text), () => withKey(createApiKey(id).text)],
    },
    {
      name: 'tokens: signature wrong at the beginning, at the end',
      make: [
        (n) => withToken(forged(signToken({ sub: `a${n}`, exp }), 0)),
        (n) => withToken(forged(signToken({ sub: `b${n}`, exp }), -2)),
      ],
    },
    {
      name: 'sign-ins of admins: unknown address, wrong password',
      make: [
        (n) => signInAt('/api/session', `nobody${n}@example.org`),
        () => signInAt('/api/session', admin.ADMIN_EMAIL),
      ],
    },
    {
      name: 'sign-ins of users: unknown address, wrong password',
      make: [(n) => signInAt('/auth/login', `nobody${n}@example.org`), () => signInAt('/auth/login', user.email)],
    },
  ];
  const lines = [];
  const faults = [];
  let done = 0;
  for (const { name, make } of pairs) {
    const samples = [[], []];
    const random = createRandom(seed, name);
    for (let n = -warmUp; n < count && !isOver(); n += 1) {
      const first = random.pick([0, 1]);
      for (const side of [first, 1 - first]) {
        const ms = await make[side](n + warmUp)();
        if (n >= 0) samples[side].push(ms);
      }
      done += n >= 0 ? 1 : 0;
      progress(Math.floor(done / pairs.length), name);
    }
    const { line, fault } = judge(name, samples);
    lines.push(line);
    if (fault !== null) faults.push(fault);
  }
  return { done, lines, faults };
}

/** A token with one letter of its signature changed. @param {string} token @param {number} place of the letter; from the end if below 0, where the last letter holds bits that do not count */
function forged(token, place) {
  const [head, claims, signature] = token.split('.');
  const letters = [...signature];
  const at = (place + letters.length) % letters.length;
  letters[at] = letters[at] === 'A' ? 'B' : 'A';
  return [head, claims, letters.join('')].join('.');
}

/** @param {string} name @param {number[][]} samples ms of either side */
function judge(name, samples) {
  const slow = percentile(
    [...samples.flat()].sort((a, b) => a - b),
    90,
  );
  const [left, right] = samples.map((side) => side.filter((ms) => ms <= slow));
  const t = welchT(left, right);
  const medians = samples.map(median);
  const difference = Math.abs(medians[0] - medians[1]) / medians[1];
  const figures = `t ${t.toFixed(2)} (all samples ${welchT(...samples).toFixed(2)}), medians ${medians.map((ms) => ms.toFixed(4)).join(' and ')} ms, ${(difference * 100).toFixed(2)} % apart, ${samples[0].length} of each`;
  const isFault = Math.abs(t) > tLimit && difference > medianLimit;
  return { line: `${name}: ${figures}`, fault: isFault ? `${name} can be told apart: ${figures}` : null };
}

async function startServer(onCleanup) {
  const folder = makeFolder('timing');
  onCleanup(folder.remove);
  const log = { info: () => undefined, warn: () => undefined };
  const postgres = await startEmbeddedPostgres({ dataDir: join(folder.path, 'data'), log });
  onCleanup(() => postgres.stop());
  const pool = createSqlPool(postgres.address, { max: 1, onError: () => undefined });
  onCleanup(() => pool.end());
  const env = { DATABASE_URL: urlOf(postgres.address), SECRET_KEY: 'for this run only, and of some length', ...admin };
  const port = await freePort();
  const running = await startTidewire({ dataDir: folder.path, port, env, readyMs: 120_000 });
  onCleanup(() => running.stop({ signal: 'SIGKILL' }));
  const key = await createKey({ dataDir: folder.path, name: 'timing', env });
  const session = { port, cookie: await signIn(port) };
  await callAdmin(session, 'PUT', 'default/auth/secret', { secret: issuerSecret });
  await callAdmin(session, 'PATCH', 'default/settings', { auth: issuerSettings });
  await callAdmin(session, 'POST', 'default/users', user);
  // So that the server knows the key's database, as it does wherever the key is in use.
  await timeOf({ port, agent: undefined, path: '/rest/company', headers: { 'x-apikey': key } }, 200);
  return { port, pool, key };
}

/** Milliseconds from sending the request to the end of its answer. Rejects on another status than the one that is expected. */
function timeOf({ body, ...options }, expected) {
  return new Promise((resolve, reject) => {
    const began = process.hrtime.bigint();
    const request = http.request({ host: '127.0.0.1', ...options }, (response) => {
      response.resume();
      response.once('end', () => {
        const ms = Number(process.hrtime.bigint() - began) / 1e6;
        if (response.statusCode === expected) resolve(ms);
        else reject(new Error(`${options.path} answered ${response.statusCode}`));
      });
    });
    request.once('error', reject);
    request.end(body);
  });
}

await runTrials({
  name: 'timing',
  what: 'Whether the time of a refused key, token or sign-in tells what was wrong with it.',
  count: 10_000,
  shortCount: 300,
  concurrency: 1,
  run,
});
