import { createParser } from 'eventsource-parser';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encodeBlock } from './encode.js';

describe('encodeBlock', () => {
  it('writes the fields in the order id, event, retry, data and ends with a blank line', () => {
    expect(encodeBlock({ id: 9, event: 'put', data: '{}', retry: 10000 })).toBe(
      'id: 9\nevent: put\nretry: 10000\ndata: {}\n\n',
    );
  });

  it('makes a block without data that only moves the cursor', () => {
    expect(encodeBlock({ id: 41 })).toBe('id: 41\n\n');
  });

  it.each(['a\nb', 'a\rb', 'a\r\ndata: forged', '\0'])('refuses %j as a name or id', (text) => {
    expect(() => encodeBlock({ event: text, data: '' })).toThrow(RangeError);
    expect(() => encodeBlock({ id: text })).toThrow(RangeError);
  });

  it('gives back any data through an independent parser, line breaks normalised', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (data) => {
        const seen: string[] = [];
        const parser = createParser({ onEvent: (event) => seen.push(event.data) });
        parser.feed(encodeBlock({ event: 'x', data }));
        expect(seen).toEqual([data.replaceAll(/\r\n|\r/g, '\n')]);
      }),
    );
  });
});
