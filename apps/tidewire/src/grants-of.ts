/** What a key or a role may, in a cell of a table or in a sentence: `rest=GET:company publish=GOAL`, or `nothing`. */
export function grantsOf({ rest, listen, publish }: Record<'rest' | 'listen' | 'publish', readonly string[]>): string {
  const given = Object.entries({ rest, listen, publish }).filter(([, grants]) => grants.length > 0);
  return given.map(([kind, grants]) => `${kind}=${grants.join(',')}`).join(' ') || 'nothing';
}
