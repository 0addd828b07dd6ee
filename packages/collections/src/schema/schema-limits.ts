/** The bounds of a collection's schema: what goes beyond is refused with the bound in the message. */
export const schemaLimits = {
  /** Characters of the schema as JSON text. */
  textLength: 64 * 1024,
  /** Schemas within each other, with what `$ref` stands for in its place. */
  depth: 32,
  /** Schemas in all, with what `$ref` stands for in its place: a document is looked at by so many at most. */
  expandedSize: 2_000,
  /** UTF-16 units of the name of a property. */
  nameLength: 256,
  /** `maxItems` beside `uniqueItems`. */
  uniqueItems: 1_000,
  /** UTF-16 units of a text that a `pattern` looks at; longer ones do not match. */
  patternText: 65_536,
  /** Fields that the server makes, and fields that are unique. */
  counters: 16,
  computed: 32,
  unique: 16,
  /** UTF-16 units of an expression, its parts, and how deep they stand in each other. */
  expressionLength: 1_000,
  expressionParts: 200,
  expressionDepth: 24,
  /** Characters of JSON of the fields that an expression names, and of the text that it gives. */
  expressionInput: 65_536,
  /** Wrong places that are told at once. */
  problems: 20,
} as const;
