import { describe, expect, it } from 'vitest';
import { frameChunk, frameText } from './chunk.js';

describe('frameChunk', () => {
  it('writes the length in bytes as hex, the bytes, and CRLF', () => {
    expect(frameText('id: 1\n\nü').framed.toString()).toBe('9\r\nid: 1\n\nü\r\n');
  });

  it('joins parts and gives the same bytes bare', () => {
    const chunk = frameChunk([Buffer.from('a'.repeat(20)), Buffer.from('b')]);
    expect(chunk.framed.toString()).toBe(`15\r\n${'a'.repeat(20)}b\r\n`);
    expect(chunk.bare.toString()).toBe(`${'a'.repeat(20)}b`);
  });

  it('refuses nothing at all, which would end the response', () => {
    expect(() => frameChunk([])).toThrow(RangeError);
  });
});
