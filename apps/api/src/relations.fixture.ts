/** Collections with schemas, and requests as an application sends them, for the tests of relations and children. */
import { expect } from 'vitest';
import type { TestApi } from './api.fixture.js';

export type Answer = { status: number; headers: Headers; text: string; body: unknown };
export type Fields = Record<string, unknown>;

/** Gives the collection the schema, and lets the server know. */
export async function setSchema(api: TestApi, collection: string, properties: Fields): Promise<void> {
  const { pool } = api.connections;
  const schema = JSON.stringify({ type: 'object', properties });
  await pool.query(
    `INSERT INTO collections (database_id, name, schema) VALUES ($1, $2, $3)
      ON CONFLICT (database_id, name) DO UPDATE SET schema = excluded.schema`,
    [api.databaseId, collection, schema],
  );
  await pool.query('UPDATE log_heads SET config_version = config_version + 1 WHERE database_id = $1', [api.databaseId]);
  await api.settings.patch(api.databaseId, {});
}

/** Calls as the holder of a key. */
export function clientOf(api: TestApi, key: string) {
  async function call(path: string, init: RequestInit & { json?: unknown } = {}): Promise<Answer> {
    const { json, ...rest } = init;
    const headers = { 'x-apikey': key, 'content-type': 'application/json', ...(init.headers as object) };
    const body = json === undefined ? {} : { body: JSON.stringify(json) };
    const response = await fetch(api.url + path, { ...rest, ...body, headers });
    const text = await response.text();
    const isJson = /^application\/(?:problem\+)?json/.test(response.headers.get('content-type') ?? '') && text !== '';
    return { status: response.status, headers: response.headers, text, body: isJson ? JSON.parse(text) : null };
  }

  /** The body of an answer of 200. */
  async function get<T = Fields>(path: string, parameters: Record<string, string | object> = {}): Promise<T> {
    const query = Object.entries(parameters).map(([name, value]): [string, string] => [
      name,
      typeof value === 'string' ? value : JSON.stringify(value),
    ]);
    const { status, text, body } = await call(`${path}?${new URLSearchParams(query)}`);
    expect(`${status} ${text.slice(0, 300)}`).toMatch(/^200 /);
    return body as T;
  }

  /** The ids of what was created, in order. */
  async function create(path: string, documents: readonly Fields[]): Promise<string[]> {
    const { status, text, body } = await call(`/rest/${path}`, { method: 'POST', json: documents });
    expect(`${status} ${text.slice(0, 300)}`).toMatch(/^201 /);
    return (body as { _id: string }[]).map(({ _id }) => _id);
  }

  return { call, get, create };
}
