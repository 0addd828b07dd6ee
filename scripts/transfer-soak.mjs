/**
 * Imports rows over HTTP, exports them, imports that export into an empty collection and exports again, in each format: what comes back must be what
 * was sent, and the two exports the same bytes. All the while the resident memory of the server's process (not of PostgreSQL) is looked at
 * each 100 ms. Starts a server of its own in a temporary folder unless it is given one. Needs Linux for the memory.
 *
 * Exit code 1 when anything is missing or different, a broken row is not named by its line, or the memory grew by `--limit-mib` or more.
 */
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createReadStream, createWriteStream } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { residentBytes } from '../bench/kit/proc.mjs';
import { stopAll, stopOnSignals } from '../bench/kit/processes.mjs';
import { createKey, defaultCommand, freePort, makeFolder, startTidewire } from '../bench/kit/product.mjs';
import { build, checkNode, install } from './workspace.mjs';

const help = `node scripts/transfer-soak.mjs [options]
  --rows N          rows of each format, of about 250 bytes (default 1000000)
  --formats LIST    of ndjson, json, csv (default: all)
  --limit-mib N     most that the server's resident memory may grow (default 200)
  --warm-up N       rows of each format before the measurement begins (default 5000)
  --command PATH    the server's command (default apps/tidewire/bin/tidewire.js)
  --url URL --key KEY [--pid PID]
                    a server that runs already; KEY may do everything, and PID, on this machine, is whose memory is measured`;

const { values } = parseArgs({
  options: {
    rows: { type: 'string', default: '1000000' },
    formats: { type: 'string', default: 'ndjson,json,csv' },
    'limit-mib': { type: 'string', default: '200' },
    'warm-up': { type: 'string', default: '5000' },
    command: { type: 'string', default: defaultCommand },
    url: { type: 'string' },
    key: { type: 'string' },
    pid: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
});

const sampleMs = 100;
const reportMs = 2_000;
const chunkChars = 64 * 1024;
const mebibyte = 1024 * 1024;
const words = [
  'Straße',
  'naïve',
  '東京',
  'Ωmega',
  '🦊 fox',
  'comma, "quote"',
  'plain',
  'Łódź',
  'עברית',
  'tab\tand back\\slash',
];

const say = (line) => process.stderr.write(`${line}\n`);
const count = (number) => Math.round(number).toLocaleString('en-US');
const mib = (bytes) => (bytes === null ? '–' : `${Math.round(bytes / mebibyte)} MiB`);

/** A document with texts, numbers, truths, null, a list and an object; the same for the same number. */
function documentOf(n) {
  return {
    n,
    name: `${words[n % words.length]} ${words[(n >> 3) % words.length]}`,
    price: (n % 100_000) / 4,
    active: n % 3 === 0,
    code: `00${n % 1_000}`,
    note: n % 5 === 0 ? null : `Nº ${n} – ${'lorem ipsum dolor '.repeat(1 + (n % 6))}…`,
    tags: [words[n % 7], n % 11, n % 2 === 0],
    place: { lat: (n % 180) - 90, lon: -(n % 360) / 8, city: words[(n * 7) % words.length] },
  };
}

/** The same as cells, in the form in which an export writes them; null and objects have no cell of their own. */
function cellsOf({ n, name, price, active, code, note }) {
  const quoted = note === null ? '' : `"${note}\n""second"" line"`;
  const filler = `${name} `.repeat(5).trim();
  return `${n},${quote(name)},${price},${active},${code},${n === 0 ? '"first, in every column"' : quoted},${quote(filler)}`;
}

const quote = (text) => (/[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);

/** How each format is written, what of an export are the ids that the server gave, and a row that cannot be read. */
const formats = {
  ndjson: {
    head: '',
    row: (n) => `${JSON.stringify(documentOf(n))}\n`,
    end: '',
    bad: '{"broken": tru}\n',
    withoutIds: (text) => text.replace(/^\{"_id":"[0-9a-f]{24}",/gm, '{'),
  },
  json: {
    head: '[\n',
    row: (n) => `${n === 0 ? '' : ',\n'}${JSON.stringify(documentOf(n))}`,
    end: '\n]\n',
    bad: ',\n{"broken": tru}',
    withoutIds: (text) => text.replace(/^\{"_id":"[0-9a-f]{24}",/gm, '{'),
  },
  csv: {
    head: 'n,name,price,active,code,note,filler\r\n',
    row: (n) => `${cellsOf(documentOf(n))}\r\n`,
    end: '',
    bad: 'too,short\r\n',
    withoutIds: (text) => text.replace(/^[0-9a-f]{24},/gm, '').replace(/^_id,n,/, 'n,'),
  },
};

/** Names, as the server must, the lines of the rows that are broken: after a quarter, a half and three quarters. */
function generate(format, rows) {
  const { head, row, end, bad } = formats[format];
  const hash = createHash('sha256');
  const badAfter = new Set([1, 2, 3].map((quarter) => Math.floor((rows * quarter) / 4)));
  const sent = { rows: 0, badLines: [], digest: () => hash.digest('hex') };
  let line = 1;
  const countLines = (text) => {
    for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', at + 1)) line += 1;
  };
  function* chunks() {
    let text = head;
    let whole = head;
    countLines(head);
    for (let n = 0; n < rows; n += 1) {
      const one = row(n);
      text += one;
      whole += one;
      countLines(one);
      sent.rows = n + 1;
      if (badAfter.delete(n + 1)) {
        text += bad;
        // A broken row of JSON stands behind the line break that it brings along.
        sent.badLines.push(format === 'json' ? line + 1 : line);
        countLines(bad);
      }
      if (text.length < chunkChars) continue;
      hash.update(whole);
      yield Buffer.from(text);
      text = '';
      whole = '';
    }
    hash.update(whole + end);
    yield Buffer.from(text + end);
  }
  return { sent, chunks: chunks() };
}

/** Sends a body as fast as the server takes it; the parsed answer. */
async function post({ url, key }, path, source) {
  const sending = request(`${url}${path}`, { method: 'POST', headers: { 'x-apikey': key } });
  const answered = once(sending, 'response');
  await Promise.all([pipeline(source, sending), answered]);
  const [answer] = await answered;
  const text = Buffer.concat(await answer.toArray()).toString();
  if (answer.statusCode !== 200) throw new Error(`POST ${path} was answered with ${answer.statusCode}: ${text}`);
  return JSON.parse(text);
}

/** Reads an export into a file. `digest` is of its bytes, `contentDigest` of its text without ids. */
async function download({ url, key }, path, file, format, onProgress) {
  const [answer] = await once(request(`${url}${path}`, { headers: { 'x-apikey': key } }).end(), 'response');
  if (answer.statusCode !== 200) throw new Error(`GET ${path} was answered with ${answer.statusCode}`);
  const bytes = createHash('sha256');
  const content = createHash('sha256');
  let rest = '';
  let size = 0;
  const note = (text) => content.update(formats[format].withoutIds(text));
  answer.setEncoding('utf8');
  await pipeline(
    answer,
    async function* (source) {
      for await (const text of source) {
        bytes.update(text);
        size += Buffer.byteLength(text);
        onProgress(size);
        const cut = text.lastIndexOf('\n') + 1;
        if (cut > 0) note(rest + text.slice(0, cut));
        rest = cut > 0 ? text.slice(cut) : rest + text;
        yield text;
      }
    },
    createWriteStream(file),
  );
  note(rest);
  return {
    total: Number(answer.headers['x-total-count']),
    size,
    digest: bytes.digest('hex'),
    contentDigest: content.digest('hex'),
  };
}

/** The resident memory of a process, each 100 ms; `peak` begins anew with each `mark`. */
function watchMemory(pid) {
  const now = () => (pid === null ? null : residentBytes(pid));
  const watch = {
    now,
    peak: now(),
    highest: now(),
    mark: () => (watch.peak = now()),
    stop: () => clearInterval(timer),
  };
  const timer = setInterval(() => {
    const bytes = now();
    watch.peak = Math.max(watch.peak, bytes);
    watch.highest = Math.max(watch.highest, bytes);
  }, sampleMs);
  return watch;
}

/** Does a piece of work with a line every two seconds, and one at the end. `progress` gives what is done so far. */
async function timed(title, memory, { unit, progress }, work) {
  const start = performance.now();
  const rate = () => `${count((progress() * 1_000) / (performance.now() - start))} ${unit}/s`;
  memory.mark();
  const report = setInterval(
    () => say(`   ${title}: ${count(progress())} ${unit}, ${rate()}, resident ${mib(memory.now())}`),
    reportMs,
  );
  try {
    const result = await work();
    const seconds = (performance.now() - start) / 1_000;
    say(`   ${title}: done in ${seconds.toFixed(1)} s, ${rate()}, resident at most ${mib(memory.peak)}`);
    return { result, seconds, peak: memory.peak };
  } finally {
    clearInterval(report);
  }
}

/** The whole round of one format; throws with what is wrong. */
async function roundTrip(server, format, rows, { folder, memory, prefix }) {
  const [first, second] = [`${prefix}-${format}-1`, `${prefix}-${format}-2`];
  const [firstFile, secondFile] = [join(folder, `${first}.${format}`), join(folder, `${second}.${format}`)];
  const importPath = (collection, more = '') => `/rest/${collection}/import?format=${format}${more}`;
  const exportPath = (collection) => `/rest/${collection}/export?format=${format}`;

  const { sent, chunks } = generate(format, rows);
  const source = Readable.from(chunks, { highWaterMark: 2 });
  const imported = await timed(`import ${format}`, memory, { unit: 'rows', progress: () => sent.rows }, () =>
    post(server, importPath(first), source),
  );
  const { result: answer } = imported;
  expectSame(`rows imported as ${format}`, answer.imported, rows);
  expectSame(`lines refused as ${format}`, answer.refused.map(({ line }) => line).join(), sent.badLines.join());
  const out = (collection, file) => {
    let bytes = 0;
    const progress = { unit: 'MiB', progress: () => bytes / mebibyte };
    return timed(`export ${format}`, memory, progress, () =>
      download(server, exportPath(collection), file, format, (size) => {
        bytes = size;
      }),
    );
  };
  const exported = await out(first, firstFile);
  expectSame(`documents exported as ${format}`, exported.result.total, rows);
  expectSame(`the content of the ${format} export`, exported.result.contentDigest, sent.digest());

  const body = createReadStream(firstFile, { highWaterMark: 256 * 1024 });
  const again = await timed(
    `import ${format} with keepIds`,
    memory,
    {
      unit: 'MiB',
      progress: () => body.bytesRead / mebibyte,
    },
    () => post(server, importPath(second, '&keepIds=true'), body),
  );
  expectSame(`rows imported again as ${format}`, again.result.imported, rows);
  const exportedAgain = await out(second, secondFile);
  expectSame(`the bytes of the second ${format} export`, exportedAgain.result.digest, exported.result.digest);
  return { imported, exported, again, exportedAgain };
}

function expectSame(what, got, wanted) {
  if (got !== wanted) throw new Error(`${what}: ${wanted} was expected, and ${got} came`);
}

async function openServer(cleanUp) {
  const { url, key, pid, command } = values;
  if (url !== undefined && key !== undefined) return { url, key, pid: pid === undefined ? null : Number(pid) };
  if (command === defaultCommand) {
    checkNode();
    await install();
    await build('@tidewire/tidewire');
  }
  const folder = makeFolder('soak');
  cleanUp.push(folder.remove);
  const tidewire = await startTidewire({ command, dataDir: folder.path, port: await freePort() });
  cleanUp.push(() => tidewire.stop({ graceMs: 60_000 }));
  return {
    url: tidewire.url,
    pid: tidewire.pid,
    key: await createKey({ command, dataDir: folder.path, name: 'soak' }),
  };
}

async function soak(cleanUp) {
  const wanted = values.formats.split(',');
  const rows = Number(values.rows);
  const unknown = wanted.filter((format) => !Object.hasOwn(formats, format));
  if (unknown.length > 0 || !Number.isInteger(rows) || rows < 4) throw new Error(help);
  const server = await openServer(cleanUp);
  const files = makeFolder('soak-files');
  cleanUp.push(files.remove);
  const memory = watchMemory(server.pid);
  cleanUp.push(memory.stop);
  const run = Date.now().toString(36);
  const context = { folder: files.path, memory };
  const ready = memory.now();
  for (const format of wanted)
    await roundTrip(server, format, Number(values['warm-up']), { ...context, prefix: `warm${run}` });
  await delay(1_000);
  const warm = memory.now();
  say(`resident: ${mib(ready)} when ready, ${mib(warm)} after the warm-up`);

  const lines = [];
  for (const format of wanted) {
    say(`── ${format}, ${count(rows)} rows`);
    memory.highest = memory.now();
    const steps = await roundTrip(server, format, rows, { ...context, prefix: `soak${run}` });
    const perSecond = (name) => count(rows / steps[name].seconds);
    lines.push({
      format,
      MiB: count(steps.exported.result.size / mebibyte),
      'import rows/s': perSecond('imported'),
      'export rows/s': perSecond('exported'),
      'with keepIds rows/s': perSecond('again'),
      'most MiB': memory.highest === null ? '–' : Math.round(memory.highest / mebibyte),
      growth: memory.highest === null ? null : Math.round((memory.highest - warm) / mebibyte),
    });
  }
  console.table(lines);
  if (warm === null) say('The memory was not measured: no --pid.');
  const limit = Number(values['limit-mib']);
  const over = lines.filter(({ growth }) => growth !== null && growth >= limit);
  if (over.length > 0) throw new Error(`The server grew by ${limit} MiB or more: ${over.map(({ format }) => format)}`);
  say(
    `Each export was what had been sent, and the same bytes after another import${warm === null ? '' : `; growth below ${limit} MiB`}.`,
  );
}

const cleanUp = [];
const clean = async () => {
  for (const one of cleanUp.splice(0).reverse()) await one();
  await stopAll();
};
if (values.help) say(help);
else {
  stopOnSignals(clean);
  try {
    await soak(cleanUp);
  } catch (error) {
    say(error instanceof Error ? (error.stack ?? error.message) : String(error));
    process.exitCode = 1;
  } finally {
    await clean();
  }
}
