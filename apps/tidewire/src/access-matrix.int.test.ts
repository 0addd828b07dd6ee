/** Every route and every stream of the description × everybody who could ask × everything that could be asked for. Nobody is shown a word of what is not theirs, and nothing of others changes. */
import { type RouteEntry, routeTable } from '@tidewire/api/openapi/route-table';
import { openSse, type SseProbe } from '@tidewire/testing/sse-probe';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  type Asker,
  createMatrixWorld,
  type Mark,
  type MatrixWorld,
  marks,
  type Thing,
} from './access-matrix.fixture.js';

let world: MatrixWorld;
beforeAll(async () => {
  world = await createMatrixWorld();
  await world.stir();
}, 60_000);
afterAll(() => world.server.close());

/** Routes that end sessions or databases by design, or take seconds: tried on their own elsewhere. */
const apart = new Set([
  'signOut',
  'signIn',
  'setUp',
  'getHealth',
  'getReadiness',
  'getReference',
  'getClientReference',
]);
const isStream = ({ path }: RouteEntry) =>
  path.endsWith('/stream') || path === '/realtime' || path === '/realtime/events';
const isRequest = (entry: RouteEntry) => !(entry.method === 'GET' && isStream(entry));
const entries = routeTable.filter(({ id }) => !apart.has(id));
const streams = entries.filter((entry) => entry.method === 'GET' && isStream(entry));
const requests = entries.filter(isRequest);

/** Questions that a reading route is asked, each of them another way to what is there. */
const questions = [
  '',
  '?q={}&metafields=true&totals=true',
  '?groupby=text&aggregate=COUNT:n',
  '?since=0',
  '?referencedby=true&fetchrelations=true',
];
/** As themselves, replayed from the beginning, and as steps. */
const streamQuestions = ['', '?since=1', '?delta=true'];
const bulk = '?q={}&confirm=true';

function pathOf({ path }: RouteEntry, { parts }: Thing): string {
  return path.replace(/\{(\w+)\}/g, (_whole, name: string) => encodeURIComponent(parts[name] ?? 'x'));
}

function bodyOf(entry: RouteEntry): { body?: string; type?: string } {
  if (entry.method === 'GET') return {};
  if (entry.id === 'importDocuments') return { body: '{"text":"made"}\n', type: 'application/x-ndjson' };
  if (entry.path === '/realtime' || entry.path.startsWith('/channels/'))
    return { body: '{"event":"news","data":{"text":"made"}}', type: 'application/json' };
  if (entry.method === 'DELETE') return {};
  return { body: '{"text":"made"}', type: 'application/json' };
}

const isGuarded = ({ security }: RouteEntry) => security === 'key' || security === 'admin';

type Ask = { entry: RouteEntry; thing: Thing; question: string };

/** What is asked of a route: each address once. */
function asksOf(entry: RouteEntry, { kind }: Asker, all: readonly string[] = questions): Ask[] {
  const isData = /^\/(rest|events|channels|realtime)/.test(entry.path);
  const asked = entry.method === 'GET' && isData && kind !== 'nobody' ? all : [''];
  const addresses = new Map<string, Ask>();
  for (const thing of world.things)
    for (const question of asked) addresses.set(pathOf(entry, thing) + question, { entry, thing, question });
  return [...addresses.values()];
}

/** A few at a time. */
async function eachOf<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  const left = [...items];
  const worker = async () => {
    for (let item = left.pop(); item !== undefined; item = left.pop()) await work(item);
  };
  await Promise.all(Array.from({ length: 8 }, worker));
}

type Told = { status: number; text: string };

async function ask(asker: Asker, entry: RouteEntry, thing: Thing, question: string): Promise<Told> {
  const { body, type } = bodyOf(entry);
  const isBulk = thing.name === 'all' && entry.method !== 'GET';
  const response = await fetch(world.server.url + pathOf(entry, thing) + (isBulk ? bulk : question), {
    method: entry.method,
    headers: { ...asker.headers, ...(type === undefined ? {} : { 'content-type': type }), origin: world.server.url },
    ...(body === undefined ? {} : { body }),
    redirect: 'manual',
    signal: AbortSignal.timeout(15_000),
  });
  return { status: response.status, text: await response.text() };
}

/** The words in a text that the asker may not be shown. */
function leaks({ sees }: Asker, text: string): Mark[] {
  return (Object.keys(marks) as Mark[]).filter((mark) => !sees.has(mark) && text.includes(marks[mark]));
}

/** Whether the asker may change what stands in this place of the state. */
function mayChange({ writes }: Asker, place: string): boolean {
  if (place.startsWith('settings ')) return writes.has('settings') && !/admins|invites/.test(place);
  if (writes.has('foreign database')) return place.startsWith('events other/') || place.startsWith('document other/');
  if (place.startsWith('events ')) return writes.has('events') && place === 'events default/news';
  const [, database, collection, id] = /^document ([^/]+)\/([^/]+)\/(.*)$/.exec(place) ?? [];
  if (database === 'other') return writes.has('foreign');
  if (collection === 'notes' && writes.has('notes:own'))
    return id?.endsWith('a1') === true || !id?.startsWith('000000000000000000000');
  if (collection === 'notes' && writes.has('notes:made')) return !id?.startsWith('000000000000000000000');
  return collection !== undefined && writes.has(collection);
}

function changes(before: ReadonlyMap<string, string>, after: ReadonlyMap<string, string>): string[] {
  const places = new Set([...before.keys(), ...after.keys()]);
  return [...places].filter((place) => before.get(place) !== after.get(place));
}

it("somebody else's document is answered as one that is not there, byte for byte", { timeout: 120_000 }, async () => {
  await world.restore();
  const user = world.askers.find(({ name }) => name === 'a user with a rule');
  const [others, missing] = ["somebody else's", 'missing'].map((name) =>
    world.things.find((thing) => thing.name === name),
  );
  if (!user || !others || !missing) throw new Error('the world is not whole');
  const sameName = (thing: Thing): Thing => ({ ...thing, parts: { ...thing.parts, name: 'news' } });
  const [here, there] = [sameName(others), sameName(missing)];
  let compared = 0;
  for (const entry of requests.filter(({ path }) => path.startsWith('/rest/{collection}/{id}'))) {
    for (const question of entry.method === 'GET' ? questions : ['']) {
      const [first, second] = [await ask(user, entry, here, question), await ask(user, entry, there, question)];
      const plain = ({ status, text }: Told, { parts }: Thing) =>
        `${status} ${text.replaceAll(parts.id ?? '', 'ID').replace(/"requestId":"[^"]*"/, '')}`;
      expect(plain(first, here), `${entry.method} ${entry.path}${question}`).toBe(plain(second, there));
      compared += 1;
    }
  }
  expect(compared).toBeGreaterThan(20);
});

it('no stream shows anybody what is not theirs, live or replayed', { timeout: 300_000 }, async () => {
  await world.restore();
  const faults: string[] = [];
  const opened: { asker: Asker; probe: SseProbe; what: string }[] = [];
  const asks = world.askers.flatMap((asker) =>
    streams.flatMap((one) => asksOf(one, asker, streamQuestions)).map((asked) => ({ asker, ...asked })),
  );
  await eachOf(asks, async ({ asker, entry, thing, question }) => {
    const address = pathOf(entry, thing) + question;
    const probe = await openSse(world.server.url + address, { headers: { ...asker.headers } });
    opened.push({ asker, probe, what: `${asker.name}, GET ${address} (${thing.name})` });
  });
  await world.stir();
  await new Promise((resolve) => setTimeout(resolve, 2_000));
  for (const { asker, probe, what } of opened) {
    probe.close();
    const text = probe.body + probe.messages.map(({ event, data }) => `${event} ${data}`).join('\n');
    if (probe.status >= 500) faults.push(`${what}: ${probe.status}`);
    if (asker.kind === 'nobody' && probe.status === 200) faults.push(`${what}: nobody may open a stream`);
    for (const mark of leaks(asker, text)) faults.push(`${what} shows what is ${mark}`);
  }
  expect(faults).toEqual([]);
  expect(opened.length).toBeGreaterThan(500);
  expect(opened.filter(({ probe }) => probe.messages.length > 0).length).toBeGreaterThan(100);
});

// The last one may change keys and settings: whoever comes after would find another world.
describe.each(Array.from({ length: 16 }, (_, index) => index))('asker %i', (index) => {
  it('is shown and changes nothing that is not theirs, by any route', { timeout: 240_000 }, async () => {
    const asker = world.askers[index];
    if (asker === undefined) throw new Error('no such asker');
    await world.restore();
    const before = await world.state();
    const faults: string[] = [];
    const seen = new Set<Mark>();
    const asks = requests.flatMap((entry) => asksOf(entry, asker));
    await eachOf(asks, async ({ entry, thing, question }) => {
      const { status, text } = await ask(asker, entry, thing, question);
      const what = `${asker.name}, ${entry.method} ${pathOf(entry, thing)}${question} (${thing.name}): ${status}`;
      if (status >= 500) faults.push(`${what} ${text.slice(0, 200)}`);
      if (asker.kind === 'nobody' && isGuarded(entry) && ![400, 401, 404].includes(status))
        faults.push(`${what}, and nobody may`);
      for (const mark of leaks(asker, text)) faults.push(`${what} shows what is ${mark}`);
      for (const mark of asker.sees) if (text.includes(marks[mark])) seen.add(mark);
    });
    const changed = changes(before, await world.state()).filter((place) => !mayChange(asker, place));
    expect({ faults, changed }).toEqual({ faults: [], changed: [] });
    // What is theirs was reached: else nothing would have been tried.
    expect([...asker.sees].filter((mark) => !seen.has(mark))).toEqual([]);
    expect(asks.length).toBeGreaterThan(250);
    expect(world.server.accidents).toEqual([]);
  });
});
