import { expect, test } from 'vitest';
import { readRefusal } from './api-error.js';

test('a problem body keeps its detail, its fields and its request id', () => {
  const error = readRefusal(
    422,
    {
      code: 'validation_failed',
      title: 'The input is not valid',
      detail: 'name: is empty',
      errors: [{ field: '/name', message: 'is empty', allowed: '1 to 100 characters' }],
      requestId: 'req-1',
    },
    new Headers(),
  );
  expect(error).toMatchObject({
    status: 422,
    code: 'validation_failed',
    title: 'The input is not valid',
    detail: 'name: is empty',
    requestId: 'req-1',
  });
  expect(error.fields).toEqual([{ field: '/name', message: 'is empty', allowed: '1 to 100 characters' }]);
});

test('a body that is no problem still tells the status, and the request id comes from the header', () => {
  const error = readRefusal(502, '<html>', new Headers({ 'x-request-id': 'req-2' }));
  expect(error.detail).toBe('The server answered 502 without an explanation.');
  expect(error.requestId).toBe('req-2');
});

test('Retry-After is read in seconds, and anything else is left out', () => {
  const body = { code: 'too_many_requests', detail: 'slow down' };
  expect(readRefusal(429, body, new Headers({ 'retry-after': '30' })).retryAfterSeconds).toBe(30);
  expect(readRefusal(429, body, new Headers({ 'retry-after': 'soon' })).retryAfterSeconds).toBeUndefined();
});
