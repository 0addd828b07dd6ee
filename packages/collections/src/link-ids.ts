/** `idtolink=true`: ids become URLs of this server, as restdb.io has it. Pure. */
import type { JsonObject, JsonValue } from '@tidewire/protocol/json';

/** `https://host/rest/company/577c…`: the parts of the path behind the origin, encoded. */
export function linkTo(origin: string, ...path: readonly string[]): string {
  return [origin, ...path.map(encodeURIComponent)].join('/');
}

/** The document with the ids in its file fields replaced, alone or in an array. What has a scheme is a URL already and stays, as does all that is no text. */
export function linkFiles(document: JsonObject, fields: ReadonlySet<string>, link: (id: string) => string): JsonObject {
  if (fields.size === 0) return document;
  const linked = (value: JsonValue): JsonValue =>
    typeof value === 'string' && value !== '' && !value.includes('://') ? link(value) : value;
  return Object.fromEntries(
    Object.entries(document).map(([name, value]) => {
      if (!fields.has(name)) return [name, value];
      return [name, Array.isArray(value) ? value.map(linked) : linked(value)];
    }),
  );
}
