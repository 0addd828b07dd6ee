/** HTTP/1.1 chunked transfer coding (RFC 9112, section 7.1), framed once for all the sockets that get the same bytes. */

/** The same bytes in two forms over one memory: as a chunk, and bare for HTTP/1.0 clients (nginx's default towards its upstreams). */
export type Chunk = { readonly framed: Buffer; readonly bare: Buffer };

/** Frames the bytes; an empty chunk would end the response, so there must be at least one byte. */
export function frameChunk(parts: readonly Buffer[]): Chunk {
  let length = 0;
  for (const part of parts) length += part.length;
  if (length === 0) throw new RangeError('an empty chunk ends a response');
  const size = `${length.toString(16)}\r\n`;
  const framed = Buffer.allocUnsafe(size.length + length + 2);
  let offset = framed.write(size, 0, 'latin1');
  for (const part of parts) offset += part.copy(framed, offset);
  framed.write('\r\n', offset, 'latin1');
  return { framed, bare: framed.subarray(size.length, size.length + length) };
}

/** Frames a text. */
export function frameText(text: string): Chunk {
  return frameChunk([Buffer.from(text)]);
}

/** The chunk that ends a response. */
export const lastChunk = Buffer.from('0\r\n\r\n');
