import { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import { requestIdOf } from './request-id.js';

function idFor(given?: string): string {
  const request = new IncomingMessage(new Socket());
  if (given !== undefined) request.headers['x-request-id'] = given;
  const response = new ServerResponse(request);
  const id = requestIdOf(response);
  expect(requestIdOf(response)).toBe(id);
  return id;
}

describe('the id of a request', () => {
  it('is the caller’s when it can stand anywhere', () => {
    for (const good of ['abcdefgh', 'A-b_9'.repeat(10)]) expect(idFor(good)).toBe(good);
  });

  it('is a new one when there is none or it could break a line', () => {
    const ids = [undefined, '', 'short', 'x'.repeat(65), 'abcdefgh\nx', 'abcdefgh x', 'äbcdefgh', '{"a":"bcd"}'].map(
      idFor,
    );
    for (const id of ids) expect(id).toMatch(/^[0-9a-f-]{36}$/);
    expect(new Set(ids).size).toBe(ids.length);
  });
});
