/** The bound parameters of one statement. Everything that comes from a user goes in here, paths included; the SQL text holds `$1`, `$2` … */
export class SqlParameters {
  /** In the order of their numbers; hand them to the driver as they are. */
  readonly values: unknown[];

  /** `values`: those of the statement that come first. */
  constructor(values: readonly unknown[] = []) {
    this.values = [...values];
  }

  /** Binds a value (string, number, boolean, null, or an array of strings) and returns its place, such as `$3`. */
  add(value: unknown): string {
    this.values.push(value);
    return `$${this.values.length}`;
  }
}

/** `alias` of the table of documents in the statement, a plain SQL name from the caller's own code; without it, bare column names. */
export type SqlOptions = { alias?: string };

/** The column, with the alias before it. Throws a RangeError for an alias that is no plain name. */
export function column(name: string, { alias }: SqlOptions): string {
  if (alias === undefined) return name;
  if (!/^[a-z_][a-z0-9_]*$/.test(alias)) throw new RangeError('The alias of a table is a plain lower-case SQL name.');
  return `${alias}.${name}`;
}

/** Writes values into the SQL itself, for statements that take no parameters (the condition of a partial index). `quote`: the driver's own quoting of a text. */
export class SqlLiterals extends SqlParameters {
  constructor(private readonly quote: (text: string) => string) {
    super();
  }

  override add(value: unknown): string {
    if (typeof value !== 'string') throw new TypeError('Only texts are written into SQL.');
    return this.quote(value);
  }
}
