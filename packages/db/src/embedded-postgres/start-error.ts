/** PostgreSQL could not be started. The message is for the person at the terminal: what is wrong, and what to do. */
export class PostgresStartError extends Error {
  override readonly name = 'PostgresStartError';
}
