/**
 * Writers that do all that the API offers, again and again, and note what became of it. Every document and message carries a value that
 * is used once. Some requests are wrong on purpose. Each goes to any node, whether that is up or not; half of them on lines that are broken.
 */
import { Agent, request as httpRequest } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { startCutProxy } from './cut-proxy.mjs';
import { greatestValue } from './live-query-model.mjs';
import { createRandom } from './random.mjs';

const collections = ['alpha', 'beta', 'gamma'];
const eventNames = ['TICK', 'GOAL'];
/** Longer than a write waits for its commit, so that a node that lives answers. */
const requestTimeoutMs = 12_000;
/** A writer that has more documents deletes instead of creating. */
const mostDocuments = 60;
/** How often each kind of step is taken, of 100. */
const weights = {
  create: 32,
  update: 20,
  updateShared: 10,
  delete: 7,
  createMany: 7,
  deleteMany: 4,
  publish: 10,
  wrong: 10,
};
const steps = Object.entries(weights).flatMap(([step, weight]) => Array(weight).fill(step));

/**
 * Starts the writers. `shared` are documents that all of them change and nobody deletes.
 * @param {{ count: number, topology: import('./topology.mjs').Topology, keys: Record<string, string>, seed: number, pauseMs: number, shared: string[], history: import('./history.mjs').History }} options
 */
export async function startWriters({ count, ...options }) {
  let isStopped = false;
  const ways = await Promise.all(Array.from({ length: count }, (_, index) => wayOf(index, options)));
  const writers = ways.map((way, index) => createWriter({ ...options, ...way, name: `w${index}` }));
  const running = writers.map(async (writer) => {
    while (!isStopped) await writer.step();
    writer.close();
  });
  const proxies = ways.flatMap((way) => way.proxies);
  return {
    proxies,
    async stop() {
      isStopped = true;
      await Promise.all(running);
      for (const proxy of proxies) proxy.close();
    },
  };
}

/** To which ports a writer goes: to those of the nodes themselves, or to lines that can be broken. */
async function wayOf(index, { topology: { apis, realtimes }, seed }) {
  const chooser = createRandom(seed, `w${index}'s line`);
  if (index % 2 === 0)
    return { proxies: [], apiPort: () => chooser.pick(apis).port, realtimePort: () => chooser.pick(realtimes).port };
  const [api, realtime] = await Promise.all(
    [apis, realtimes].map((nodes) => startCutProxy({ chooseTarget: () => chooser.pick(nodes), random: chooser })),
  );
  return { proxies: [api, realtime], apiPort: () => api.port, realtimePort: () => realtime.port };
}

function createWriter({ name, apiPort, realtimePort, keys, seed, pauseMs, shared, history }) {
  const random = createRandom(seed, name);
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  /** Documents of this writer that are there for certain; nobody else touches them. @type {{ collection: string, id: string }[]} */
  let own = [];
  let count = 0;

  const newMarker = () => {
    count += 1;
    return `${name}-${count}`;
  };
  const newDocument = (marker) => ({
    marker,
    by: name,
    value: random.integer(0, greatestValue),
    text: 'ä€😀'.repeat(random.integer(0, 20)),
  });
  const send = (method, path, body, key = keys.all) =>
    sendRequest({ agent, port: path === '/realtime' ? realtimePort() : apiPort(), key, method, path, body });

  /** Notes the operation. @returns {Promise<import('./history.mjs').Operation & { body: any }>} */
  async function perform({ kind, markers = [], ids = [], mustFail = false }, request) {
    const answer = await request;
    const outcome = outcomeOf(answer);
    const operation = { kind, markers, ids, outcome, status: answer.status, eventId: answer.eventId };
    if (answer.status >= 500 && answer.status !== 503)
      history.fault(`${kind} was answered with ${answer.status}: ${answer.text.slice(0, 200)}`);
    if (mustFail && outcome === 'acknowledged')
      history.fault(`a wrong ${kind} (${markers}) was accepted with ${answer.status}`);
    if (!mustFail && outcome === 'refused' && answer.status !== 503)
      history.fault(
        `a good ${kind} (${markers} ${ids}) was refused with ${answer.status}: ${answer.text.slice(0, 300)}`,
      );
    const body = outcome === 'acknowledged' ? JSON.parse(answer.text) : null;
    if (outcome === 'acknowledged' && kind === 'deleteMany') operation.ids = body.result;
    history.note(operation);
    if (outcome !== 'acknowledged' && !mustFail) await delay(50);
    return { ...operation, body };
  }

  function takeOwn() {
    const index = random.integer(0, own.length - 1);
    const [one] = own.splice(index, 1);
    return one;
  }

  const work = {
    async create() {
      if (own.length > mostDocuments) return work.deleteMany();
      const collection = random.pick(collections);
      const marker = newMarker();
      const { outcome, body } = await perform(
        { kind: 'create', markers: [marker] },
        send('POST', `/rest/${collection}`, newDocument(marker)),
      );
      if (outcome === 'acknowledged') own.push({ collection, id: body._id });
    },
    async createMany() {
      if (own.length > mostDocuments) return work.deleteMany();
      const collection = random.pick(collections);
      const markers = Array.from({ length: random.integer(2, 5) }, newMarker);
      const { outcome, body } = await perform(
        { kind: 'createMany', markers },
        send('POST', `/rest/${collection}`, markers.map(newDocument)),
      );
      if (outcome === 'acknowledged') own.push(...body.map(({ _id: id }) => ({ collection, id })));
    },
    async update() {
      if (own.length === 0) return work.create();
      const { collection, id } = random.pick(own);
      const marker = newMarker();
      await perform(
        { kind: 'update', markers: [marker], ids: [id] },
        send(random.pick(['PUT', 'PATCH']), `/rest/${collection}/${id}`, {
          marker,
          value: random.integer(0, greatestValue),
        }),
      );
    },
    async updateShared() {
      const id = random.pick(shared);
      const marker = newMarker();
      await perform(
        { kind: 'update', markers: [marker], ids: [id] },
        send('PUT', `/rest/shared/${id}`, { marker, [name]: count }),
      );
    },
    async delete() {
      if (own.length === 0) return work.create();
      const { collection, id } = takeOwn();
      await perform({ kind: 'delete', ids: [id] }, send('DELETE', `/rest/${collection}/${id}`));
    },
    async deleteMany() {
      const collection = random.pick(collections);
      const ids = own
        .filter((one) => one.collection === collection)
        .slice(0, random.integer(1, 4))
        .map(({ id }) => id);
      if (ids.length === 0) return own.length > mostDocuments ? work.delete() : work.createMany();
      own = own.filter(({ id }) => !ids.includes(id));
      const { outcome, ids: deleted } = await perform(
        { kind: 'deleteMany', ids },
        send('DELETE', `/rest/${collection}/*`, [...ids, 'f'.repeat(24)]),
      );
      if (outcome === 'acknowledged' && deleted.length !== ids.length)
        history.fault(`of ${ids} only ${deleted} were there to be deleted`);
    },
    async publish() {
      const marker = newMarker();
      await perform(
        { kind: 'publish', markers: [marker] },
        send('POST', '/realtime', { event: random.pick(eventNames), data: newDocument(marker) }),
      );
    },
    /** One of the ways to be refused. */
    async wrong() {
      const marker = newMarker();
      const document = newDocument(marker);
      const collection = random.pick(collections);
      const attempts = [
        ['createMany', 'POST', `/rest/${collection}`, [document, 'not an object']],
        ['create', 'POST', `/rest/${collection}`, { _id: 'f'.repeat(24), ...document }],
        ['create', 'POST', `/rest/${collection}`, { ...document, nested: { $where: 'x' } }],
        ['create', 'POST', `/rest/${collection}`, `${JSON.stringify(document).slice(0, -1)},`],
        ['create', 'POST', `/rest/${collection}`, document, keys.reader],
        ['create', 'POST', `/rest/${collection}`, document, `${keys.all.slice(0, -2)}00`],
        ['update', 'PUT', `/rest/${collection}/${'f'.repeat(24)}`, document],
        ['update', 'PUT', `/rest/shared/${random.pick(shared)}`, { ...document, $inc: 1 }],
        ['publish', 'POST', '/realtime', { event: 'ping', data: document }],
        ['publish', 'POST', '/realtime', { event: 'TICK', data: document }, keys.reader],
      ];
      const [kind, method, path, body, key] = random.pick(attempts);
      await perform({ kind, markers: [marker], mustFail: true }, send(method, path, body, key));
    },
  };

  return {
    async step() {
      await work[random.pick(steps)]();
      await delay(random.next() * 2 * pauseMs);
    },
    close: () => agent.destroy(),
  };
}

/** @param {{ status: number, code?: string, text: string }} answer @returns {import('./history.mjs').Outcome} */
function outcomeOf({ status, code, text }) {
  if (status === 0) return code === 'ECONNREFUSED' ? 'unsent' : 'unknown';
  if (status < 300) return 'acknowledged';
  if (status < 500) return 'refused';
  return status === 503 && JSON.parse(text).code === 'unavailable' ? 'refused' : 'unknown';
}

/**
 * Status 0: there was no whole answer; `code` says why. A body that is a string is sent as it is.
 * @returns {Promise<{ status: number, code?: string, text: string, eventId: number | null }>}
 */
export function sendRequest({ agent, port, key, method, path, body }) {
  const text = body === undefined ? undefined : typeof body === 'string' ? body : JSON.stringify(body);
  const headers = {
    'x-apikey': key,
    ...(text === undefined ? {} : { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(text) }),
  };
  return new Promise((resolve) => {
    const fail = (error) => resolve({ status: 0, code: error?.code ?? 'incomplete', text: '', eventId: null });
    const request = httpRequest(
      { host: '127.0.0.1', port, method, path, headers, agent, timeout: requestTimeoutMs },
      (response) => {
        let answer = '';
        response.setEncoding('utf8').on('data', (chunk) => {
          answer += chunk;
        });
        response.on('error', fail).on('close', () => {
          if (!response.complete) return fail(undefined);
          const eventId = response.headers['x-event-id'];
          resolve({
            status: response.statusCode ?? 0,
            text: answer,
            eventId: eventId === undefined ? null : Number(eventId),
          });
        });
      },
    );
    request.on('timeout', () => request.destroy(Object.assign(new Error('no answer'), { code: 'timeout' })));
    request.on('error', fail);
    request.end(text);
  });
}
