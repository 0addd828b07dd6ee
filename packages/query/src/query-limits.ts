/** The bounds of the language: what goes beyond is refused by the parsers with the bound in the message. */
export const queryLimits = {
  /** `$and`, `$or`, `$nor`, `$not` and `$elemMatch` within each other. */
  depth: 8,
  /** Operators and conditions of one filter; a plain value counts as one, a logical operator as one more than its parts. */
  nodes: 100,
  /** Values of one `$in`, `$nin` or `$all`. */
  listValues: 1_000,
  /** The filter as JSON text, in bytes of UTF-8. Room for a full `$in` of document ids. */
  filterBytes: 32_768,
  /** Objects and arrays within each other in a value that is compared. */
  valueDepth: 32,
  /** UTF-16 units of a regular expression. */
  patternLength: 256,
  /** The greatest count of a bounded repetition, and the most single steps that all repetitions of a pattern may expand to. */
  repeat: 100,
  expandedPattern: 1_000,
  /** UTF-16 units of the text of `$search` and `filter=`, and its words. */
  searchLength: 1_024,
  searchWords: 32,
  /** UTF-16 units and segments of a dotted path; segments that are numbers double the ways to read it. */
  pathLength: 512,
  pathSegments: 16,
  numericSegments: 3,
  /** Fields of one sort order, of one projection, group keys and aggregate items of one aggregation. */
  sortFields: 8,
  projectionFields: 100,
  groupKeys: 8,
  aggregateItems: 32,
  /** Rows of a grouped answer. */
  groups: 10_000,
  /** UTF-16 units of a date format and of the name of a `COUNT`. */
  nameLength: 128,
  /** `$max` and `$skip`. */
  max: 10_000,
  skip: 10_000_000,
  /** Problems told at once. */
  problems: 20,
} as const;
