/** Reading what belongs to the documents of an answer, on the raw pool. */
import { type Rule, reachOf } from '@tidewire/access/rule';
import type { SqlClient } from '@tidewire/db/sql-pool';
import { Problem } from '@tidewire/protocol/problem';
import type { Filter } from '@tidewire/query/ast';
import type { DeclaredIndexes } from '@tidewire/query/declared-index';
import { indexExpression, keysOfValues } from '@tidewire/query/index-expression';
import { SqlParameters } from '@tidewire/query/sql-parameters';
import { toSql } from '@tidewire/query/to-sql';
import { type Moment, readAsOf } from './documents-as-of.js';
import { answerTooLarge, documentsLimit } from './page-limit.js';
import {
  eachRow,
  type Form,
  type LastDocument,
  plainForm,
  type ReadPaths,
  type Statement,
  wholeForm,
} from './read-documents.js';
import { bothOf, createMask, shownBy } from './rule-mask.js';

/** What an answer may still take: other documents, and characters. Reading takes from the documents. */
export type Room = { documents: number; chars: number };

/** `whole`: with the columns that metafields are made of. */
export type RelatedForm = { whole: boolean };

/** Children of several parents under one field. `indexes`: those of their collection; `rule`: by which they are read. */
export type ChildrenOf = {
  collectionId: number;
  parentCollection: string;
  field: string;
  parentIds: readonly string[];
  indexes: DeclaredIndexes;
  rule: Rule | null;
};

/** Each method refuses with `bad_request` what goes beyond the room. */
export interface RelatedReader {
  /** Those that exist and that their rules let through, in no order. */
  byIds(
    wanted: readonly { collectionId: number; id: string; rule: Rule | null }[],
    room: Room,
    form: RelatedForm,
  ): Promise<{ collectionId: number; document: LastDocument }[]>;
  /** In the order of their `_id`. Refuses as the gate does. */
  children(of: ChildrenOf, room: Room, form: RelatedForm): Promise<{ parentId: string; document: LastDocument }[]>;
  /** What the filter lets through, in the order of `_id`. Refuses as the gate does. */
  matching(
    of: { collectionId: number; filter: Filter; indexes: DeclaredIndexes; rule: Rule | null },
    room: Room,
    form: RelatedForm,
  ): Promise<LastDocument[]>;
}

/** The same of a moment: conditions reach the past of the table, a join would not. A document of another collection with a wanted id comes along. */
const selectByIdsAsOf = ({ columns }: Form) => `SELECT ${columns}, d.collection_id
  FROM documents d WHERE d.collection_id = ANY($1::int[]) AND d.id = ANY($2::text[])`;

/** By the primary key of documents. */
const selectByIds = ({ columns }: Form) => `SELECT ${columns}, d.collection_id
  FROM unnest($1::int[], $2::text[]) AS wanted(collection_id, id)
  JOIN documents d ON d.collection_id = wanted.collection_id AND d.id = wanted.id`;

/** `moment`: when it is not now; the gate must be that of the moment then (`gateAsOf`). */
export function createRelatedReader({ direct, gate }: ReadPaths, moment: Moment | null): RelatedReader {
  return {
    async byIds(wanted, room, form) {
      if (wanted.length === 0) return [];
      takeDocuments(room, wanted.length);
      const rules = new Map(wanted.map(({ collectionId, rule }) => [collectionId, rule]));
      const isWhole = form.whole || [...rules.values()].some((rule) => rule !== null);
      const { decode, ...rest } = formOf({ whole: isWhole });
      const name = isWhole ? 'collections-related-whole' : 'collections-related';
      const values = [wanted.map(({ collectionId }) => collectionId), wanted.map(({ id }) => id)];
      const statement = { name, text: selectByIds({ decode, ...rest }), values };
      const rows =
        moment === null
          ? await direct((client) => readRows(client, statement, room))
          : await gate((client) =>
              readRows(client, readAsOf({ text: selectByIdsAsOf({ decode, ...rest }), values }, moment), room),
            );
      return rows.flatMap((row) => {
        const collectionId = row.at(-1) as number;
        const document = decode(row);
        const rule = rules.get(collectionId) ?? null;
        const shown = 'version' in document ? shownBy(rule, document) : document;
        return shown === null ? [] : [{ collectionId, document: shown }];
      });
    },

    async children(of, room, form) {
      const { columns, decode } = formBy(of.rule, form);
      const statement = readAsOf(childrenStatement(of, columns, room.documents + 1), moment);
      const rows = await gate((client) => readRows(client, statement, room));
      takeDocuments(room, rows.length);
      return rows.map((row) => ({ parentId: row.at(-1) as string, document: decode(row) }));
    },

    async matching({ collectionId, filter, indexes, rule }, room, form) {
      const { columns, decode } = formBy(rule, form);
      const parameters = new SqlParameters([collectionId]);
      const condition = toSql(bothOf(filter, reachOf(rule)) ?? filter, parameters, { alias: 'd', indexes });
      const limit = parameters.add(room.documents + 1);
      const text = `SELECT ${columns} FROM documents d WHERE d.collection_id = $1 AND ${condition} ORDER BY d.id LIMIT ${limit}::bigint`;
      const statement = readAsOf({ text, values: parameters.values }, moment);
      const rows = await gate((client) => readRows(client, statement, room));
      takeDocuments(room, rows.length);
      return rows.map(decode);
    },
  };
}

/**
 * Walks the collection's part of the primary key, unless there is a declared index on `_parent_id`. The fields of the server are texts wherever they stand, so they are compared as such: with
 * thousands of parents one comparison is a look into a hash table, which a jsonpath has not.
 */
function childrenStatement(of: ChildrenOf, columns: string, limit: number): Statement {
  const { collectionId, parentCollection, field, parentIds, indexes, rule } = of;
  const parameters = new SqlParameters([collectionId, [...parentIds], parentCollection, field, limit]);
  const where = [
    'd.collection_id = $1',
    `d.data ->> '_parent_id' = ANY($2::text[])`,
    `d.data ->> '_parent_def' = $3`,
    `d.data ->> '_parent_field' = $4`,
  ];
  const index = indexes.fields.find((one) => one.paths[0] === '_parent_id' && one.where === null);
  if (index !== undefined) {
    const keys = parameters.add(keysOfValues([...parentIds], index.textLength));
    where.push(`${indexExpression('_parent_id', { alias: 'd' }, index.textLength)} = ANY(${keys}::text[])`);
  }
  const reach = reachOf(rule);
  if (reach !== null) where.push(toSql(reach, parameters, { alias: 'd', indexes }));
  const text = `SELECT ${columns}, d.data ->> '_parent_id' FROM documents d WHERE ${where.join(' AND ')} ORDER BY d.id LIMIT $5`;
  return { text, values: parameters.values };
}

/** As the rule shows them. */
function formBy(rule: Rule | null, form: RelatedForm): Form {
  const mask = createMask(rule);
  if (mask === null) return formOf(form);
  const { decode, ...rest } = formOf({ whole: form.whole || mask.needsWhole });
  return { ...rest, decode: (row) => mask.apply(decode(row)) };
}

function formOf({ whole }: RelatedForm): Form {
  return whole ? wholeForm : plainForm;
}

/** The bodies are the second column; what they come to is bounded while they arrive. */
async function readRows(client: SqlClient, statement: Statement, { chars }: Room): Promise<unknown[][]> {
  const rows: unknown[][] = [];
  let left = chars;
  await eachRow(client, { ...statement, rowMode: 'array' }, (row: unknown[]) => {
    const size = String(row[1]).length;
    left -= size;
    if (left >= 0) rows.push(row);
    return size;
  });
  if (left < 0) throw answerTooLarge();
  return rows;
}

function takeDocuments(room: Room, count: number): void {
  room.documents -= count;
  if (room.documents >= 0) return;
  throw new Problem(
    'bad_request',
    `More than ${documentsLimit} other documents would stand in the answer. Ask for fewer documents at a time, with max, or without fetchrelations, fetchchildren or referencedby.`,
  );
}
