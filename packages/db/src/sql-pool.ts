/** The raw connection pool: for the document path, where Prisma's query compiler would cost more than the query. */
import pg from 'pg';

export type SqlPool = pg.Pool;
export type SqlClient = pg.PoolClient;

/** Where a Postgres is: a connection string, or the parts of one (`host` may be the folder of a Unix socket). */
export type PostgresAddress =
  | { connectionString: string }
  | { host: string; port: number; user: string; password: string; database: string };

export type SqlPoolOptions = {
  /** Most connections at a time. */
  max: number;
  /** Told of idle connections that broke; the pool replaces them by itself. */
  onError: (error: Error) => void;
  /** Postgres session options, as in `-c name=value`. */
  sessionOptions?: string;
};

/**
 * A pool on a Postgres; `int8` comes back as a number (event ids stay below 2^53). The caller ends the pool.
 * SQL asks for `json` columns as `::text` where they are only handed on, so that nobody parses them.
 */
export function createSqlPool(address: PostgresAddress, options: SqlPoolOptions): SqlPool {
  const pool = new pg.Pool({
    ...address,
    max: options.max,
    idleTimeoutMillis: 30_000,
    connectionTimeoutMillis: 5_000,
    types: { getTypeParser: parserOf },
    ...(options.sessionOptions === undefined ? {} : { options: options.sessionOptions }),
  });
  // Without a listener Node would exit when Postgres ends a connection (57P01 on restart). The pool listens to idle ones only, and
  // between its hand-over and the first line of whoever takes one there is a moment in which nobody does.
  pool.on('error', options.onError);
  pool.on('connect', (client) => client.on('error', ignore));
  return pool;
}

/** Whoever uses the connection learns of its end from the query that fails. */
function ignore(): void {}

/** OID of int8 in pg_type. */
const INT8 = 20;

const parserOf: typeof pg.types.getTypeParser = (oid: number, format?: 'text' | 'binary') =>
  oid === INT8 ? Number : pg.types.getTypeParser(oid, format as 'text');
