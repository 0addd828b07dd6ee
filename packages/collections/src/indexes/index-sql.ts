/**
 * A declared index in Postgres: one of the table `documents`, named `documents_declared_<id>`. It is partial, `WHERE collection_id = <id>`, so that a document of another collection costs
 * it no more than that comparison (`docs/decisions/0007-declared-indexes.md`).
 */
import type { IndexDefinition } from '@tidewire/protocol/collection-schema';
import { createKeyFunction, indexExpression, uniqueExpression } from '@tidewire/query/index-expression';
import { SqlLiterals } from '@tidewire/query/sql-parameters';
import { createWordsFunction, wordsExpression } from '@tidewire/query/text-index';
import { conditionToSql } from '@tidewire/query/to-sql';
import pg from 'pg';
import { parseDefinition } from './index-definition.js';

/** A row of `collection_indexes`. */
export type DeclaredIndexRow = { id: number; collectionId: number; definition: IndexDefinition };

export type IndexSql = {
  name: string;
  /** To be run before, each time: the function of the expression. */
  prepare: string;
  create: string;
  /** To be run after, each time. Postgres does not look at the statistics of a partial index, so those of its expressions are kept by themselves. */
  statistics: readonly string[];
  /** Groups of documents (`ids`) that keep it from being unique, as many as fit into 100 ids; null when it is not to be unique. */
  findDoubles: string | null;
};

/** The name of the index in Postgres. */
export function indexName(id: number): string {
  return `documents_declared_${Math.trunc(id)}`;
}

/** The names of the statistics of an index, whatever it covers. */
export function statisticsNames(id: number): string[] {
  return [1, 2, 3, 4].map((field) => `${indexName(id)}_${field}`);
}

function statisticsSql(id: number, expressions: readonly string[]): string[] {
  const names = statisticsNames(id);
  return expressions.map(
    (expression, at) => `CREATE STATISTICS IF NOT EXISTS ${names[at]} ON (${expression}) FROM documents`,
  );
}

/** The statements of an index. Identifiers and numbers are ours, texts of a user are quoted by the driver. Throws `validation_failed` as `parseDefinition` does. */
export function indexSql({ id, collectionId, definition }: DeclaredIndexRow): IndexSql {
  const name = indexName(id);
  const collection = `collection_id = ${Math.trunc(collectionId)}`;
  const index = parseDefinition(definition);
  if (index === null) {
    const create = `CREATE INDEX CONCURRENTLY ${name} ON documents USING gin (${wordsExpression()}) WHERE ${collection}`;
    const statistics = statisticsSql(id, [wordsExpression()]);
    return { name, prepare: createWordsFunction(), create, statistics, findDoubles: null };
  }
  const { paths, textLength, isUnique, where } = index;
  const expressions = paths.map((path) => indexExpression(path, {}, textLength));
  const keys = expressions.map((expression) => `(${expression})`);
  const condition =
    where === null ? collection : `${collection} AND ${conditionToSql(where, new SqlLiterals(pg.escapeLiteral))}`;
  const last = isUnique ? `(${uniqueExpression(paths)})` : 'id';
  const create = `CREATE ${isUnique ? 'UNIQUE ' : ''}INDEX CONCURRENTLY ${name} ON documents (${[...keys, last].join(', ')}) WHERE ${condition}`;
  const statistics = statisticsSql(id, expressions);
  return {
    name,
    prepare: createKeyFunction(),
    create,
    statistics,
    findDoubles: isUnique ? doublesSql(condition, last) : null,
  };
}

/** The smallest ids of each group, in the order of the ids. */
function doublesSql(condition: string, value: string): string {
  return `SELECT (array_agg(id ORDER BY id))[1:100] AS ids FROM documents WHERE ${condition} AND ${value} IS NOT NULL
    GROUP BY ${value} HAVING count(*) > 1 ORDER BY min(id) LIMIT 50`;
}
