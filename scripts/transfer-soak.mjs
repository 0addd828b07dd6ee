/**
 * Imports rows into a running server, exports them again, and says how fast that was and how large the server's process became.
 *
 * node scripts/transfer-soak.mjs URL KEY [ROWS] [PID]
 *
 * KEY may GET and POST the collection `soak`; ROWS is 1,000,000 unless given, of 250 bytes each; with PID, a process on this machine (Linux), its resident
 * memory is read from /proc before, at its highest and after.
 */
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { request } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';

const [url, key, rowsText = '1000000', pid] = process.argv.slice(2);
if (url === undefined || key === undefined) {
  console.error('node scripts/transfer-soak.mjs URL KEY [ROWS] [PID]');
  process.exit(2);
}
const rows = Number(rowsText);
const headers = { 'x-apikey': key };
const filler = 'word '.repeat(40);

/** MiB. */
function residentMemory() {
  if (pid === undefined) return null;
  const kib = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  return Math.round(Number(kib) / 1024);
}

function* lines() {
  let text = '';
  for (let n = 0; n < rows; n += 1) {
    text += `{"n":${n},"filler":"${filler}"}\n`;
    if (text.length < 64 * 1024) continue;
    yield Buffer.from(text);
    text = '';
  }
  yield Buffer.from(text);
}

const before = residentMemory();
let highest = before ?? 0;
const watch = setInterval(() => {
  highest = Math.max(highest, residentMemory() ?? 0);
}, 100);

const importStart = performance.now();
const sending = request(`${url}/rest/soak/import?format=ndjson`, { method: 'POST', headers });
const answered = once(sending, 'response');
await pipeline(Readable.from(lines()), sending);
const [answer] = await answered;
const imported = JSON.parse(Buffer.concat(await answer.toArray()).toString());
const importSeconds = (performance.now() - importStart) / 1_000;
if (imported.imported !== rows) throw new Error(`The server answered ${JSON.stringify(imported).slice(0, 500)}`);

const exportStart = performance.now();
const [text] = await once(request(`${url}/rest/soak/export`, { headers }).end(), 'response');
let exported = 0;
for await (const chunk of text) for (const byte of chunk) if (byte === 10) exported += 1;
const exportSeconds = (performance.now() - exportStart) / 1_000;
clearInterval(watch);
if (String(exported) !== text.headers['x-total-count'])
  throw new Error(`${exported} lines came of ${text.headers['x-total-count']}`);

console.log(`import ${Math.round(rows / importSeconds)} rows/s, export ${Math.round(exported / exportSeconds)} rows/s`);
if (before !== null)
  console.log(`resident memory: ${before} MiB before, ${highest} at the most, ${residentMemory()} after`);
