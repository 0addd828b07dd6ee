/** Random requests for live queries, and random writes, for the tests that hold them against reads. Everything follows from the random numbers that are given. */
import { parseListRequest } from '@tidewire/collections/read-request';
import { makeFields, makeFilter, makeSort, pick, type Random } from '@tidewire/query/random.fixture';
import type { TestNode } from './realtime.fixture.js';

const below = (random: Random, bound: number) => Math.floor(random() * bound);

/** A query that the collections API takes; `limits` of its pages are small, so that documents come and go. */
export function makeListQuery(random: Random): string {
  for (;;) {
    const query = tryListQuery(random).toString();
    try {
      parseListRequest(query);
      return query;
    } catch {
      // Some random filters and orders are refused; the next one may not be.
    }
  }
}

function tryListQuery(random: Random): URLSearchParams {
  const query = new URLSearchParams();
  const hints: Record<string, unknown> = {};
  if (random() < 0.7) query.set('q', JSON.stringify(random() < 0.4 ? { a: below(random, 3) } : makeFilter(random)));
  if (random() < 0.2) query.set('filter', pick(random, ['a', 'b', 'ab']));
  if (random() < 0.6) hints.$orderby = makeSort(random);
  else if (random() < 0.5) {
    query.append('sort', pick(random, ['_version', '_created', '_changed', '_changedby', '_id', 'a', 'n', 'a.b']));
    query.append('dir', pick(random, ['1', '-1']));
  }
  if (random() < 0.25) hints.$fields = pick(random, [{ a: 1 }, { a: 0 }, { 'a.b': 1, _id: 0 }, { b: 1, _version: 1 }]);
  if (Object.keys(hints).length > 0) query.set('h', JSON.stringify(hints));
  if (random() < 0.75) query.set('max', String(below(random, 9)));
  if (random() < 0.4) query.set('skip', String(below(random, 6)));
  if (random() < 0.3) query.set('totals', 'true');
  if (random() < 0.3) query.set('metafields', 'true');
  if (random() < 0.2) query.set('flatten', 'true');
  if (random() < 0.1) query.append('fetchrelations', 'false');
  return query;
}

/** The fields of a document, with few values, and a number that is always there. */
export function makeBody(random: Random): Record<string, unknown> {
  return { n: below(random, 20), ...makeFields(random), ...(random() < 0.3 ? { a: below(random, 3) } : {}) };
}

/** Creates, changes and deletes documents of one collection. */
export class RandomWriter {
  readonly ids: string[] = [];

  constructor(
    readonly node: TestNode,
    readonly collection: string,
    readonly random: Random,
  ) {}

  get #scope() {
    return {
      databaseId: this.node.databaseId,
      author: { actor: 'key:test', by: pick(this.random, ['api', 'a', 'B']) },
    };
  }

  async create(data: Record<string, unknown> = makeBody(this.random)): Promise<void> {
    const { document } = this.node.client;
    const outcome = await document.create({ scope: this.#scope, collection: this.collection, data: data as never });
    const id = outcome.status === 'written' ? outcome.documents[0]?.id : undefined;
    if (id === undefined) throw new Error('nothing was written');
    this.ids.push(id);
  }

  /** Mostly changes; documents stay about as many as they are. */
  async write(): Promise<void> {
    const { document } = this.node.client;
    const at = below(this.random, this.ids.length);
    const id = this.ids[at];
    const kind = this.random();
    if (id === undefined || kind < 0.2) return this.create();
    const where = { id };
    const [scope, { collection }] = [this.#scope, this];
    if (kind < 0.38) {
      this.ids.splice(at, 1);
      await document.delete({ scope, collection, where });
    } else {
      const fields = makeBody(this.random);
      const isPartial = this.random() < 0.5;
      await document.update({
        scope,
        collection,
        where,
        data: (before: object) => (isPartial ? { ...before, n: fields.n } : fields) as never,
      });
    }
  }
}

/** What the REST route answers, from the code that the route calls; `asOf`: after that event. */
export async function readList(node: TestNode, collection: string, query: string, asOf?: number): Promise<string> {
  const database = await node.catalog.byId(node.databaseId);
  if (database === null) throw new Error('there is no database');
  const request = parseListRequest(query);
  const target = { database, collection, mayGet: () => true };
  return (await node.collections.list(target, asOf === undefined ? request : { ...request, asOf })).text;
}
