/**
 * A database whose own collation is a linguistic one (where the server has ICU), so that whatever depends on the collation by mistake shows; and in it a table with the columns
 * of documents that queries see.
 */
import { createTestDatabase } from '@tidewire/testing/test-database';
import pg from 'pg';
import { createKeyFunction, indexExpression } from './index-expression.js';
import type { JsonObject } from './json.js';

/** Paths that have an index in the table. */
export const declaredPaths = ['a', 'a.b', 'b'];

/** A connection to a database of its own, and what ends both. */
export type LinguisticDatabase = { client: pg.Client; close(): Promise<void> };

/** Creates a database without tables, but with the function of indexes. */
export async function createLinguisticDatabase(): Promise<LinguisticDatabase> {
  const { address, name } = await createTestDatabase({ empty: true });
  const admin = new pg.Client(address);
  await admin.connect();
  const { rows } = await admin.query(`SELECT FROM pg_collation WHERE collname = 'en-US-x-icu'`);
  if (rows.length === 0) {
    await admin.query(createKeyFunction());
    return { client: admin, close: () => admin.end() };
  }
  const linguistic = `${name}_icu`;
  await admin.query(
    `CREATE DATABASE ${linguistic} TEMPLATE template0 ENCODING 'UTF8' LOCALE_PROVIDER icu ICU_LOCALE 'en-US'`,
  );
  const client = new pg.Client(withDatabase(address, linguistic));
  await client.connect();
  await client.query(createKeyFunction());
  const close = async () => {
    await client.end();
    await admin.query(`DROP DATABASE ${linguistic}`);
    await admin.end();
  };
  return { client, close };
}

function withDatabase(address: pg.ClientConfig, database: string): pg.ClientConfig {
  if (address.connectionString === undefined) return { ...address, database };
  const url = new URL(address.connectionString);
  url.pathname = `/${database}`;
  return { connectionString: url.href };
}

/** Creates an empty table `documents` with its indexes, in a new database. */
export async function createDocumentsTable(): Promise<LinguisticDatabase> {
  const database = await createLinguisticDatabase();
  const { client } = database;
  // Far from UTC, so that a time shown in the session's zone would show.
  await client.query("SET timezone = 'Asia/Tokyo'");
  await client.query(`CREATE TABLE documents (
    id text COLLATE "C" PRIMARY KEY, data jsonb NOT NULL, version integer NOT NULL,
    created_at timestamptz(3) NOT NULL, changed_at timestamptz(3) NOT NULL, created_by text NOT NULL, changed_by text NOT NULL)`);
  await client.query('CREATE INDEX ON documents USING gin (data jsonb_path_ops)');
  for (const path of declaredPaths) await client.query(`CREATE INDEX ON documents ((${indexExpression(path)}))`);
  return database;
}

/** Replaces the rows. */
export async function fillTable(client: pg.Client, documents: readonly JsonObject[]): Promise<void> {
  await client.query('TRUNCATE documents');
  const rows = documents.map(({ _id, _created, _changed, _createdby, _changedby, _version, ...fields }) => ({
    id: _id,
    data: JSON.stringify(fields),
    version: _version,
    created_at: _created,
    changed_at: _changed,
    created_by: _createdby,
    changed_by: _changedby,
  }));
  await client.query(
    `INSERT INTO documents (id, data, version, created_at, changed_at, created_by, changed_by)
     SELECT id, data::jsonb, version, created_at, changed_at, created_by, changed_by
     FROM json_to_recordset($1::json) AS row(id text, data text, version int, created_at timestamptz, changed_at timestamptz, created_by text, changed_by text)`,
    [JSON.stringify(rows)],
  );
}
