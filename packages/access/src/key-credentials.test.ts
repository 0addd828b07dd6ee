import { describe, expect, it } from 'vitest';
import { readKeyCredentials } from './key-credentials.js';

function read(headers: Record<string, string>, url = '/rest/company', more: string[] = []) {
  const rawHeaders = [...Object.entries(headers).flat(), ...more];
  return readKeyCredentials({ headers, url, rawHeaders });
}

describe('the key of a request', () => {
  it.each([
    [{ 'x-apikey': 'k' }, '/'],
    [{ authorization: 'Bearer k' }, '/'],
    [{ authorization: 'bearer   k' }, '/'],
    [{}, '/realtime?apikey=k'],
    [{}, '/realtime?x=1&token=k'],
    [{ 'x-apikey': 'k', authorization: 'Bearer k' }, '/?apikey=k&token=k'],
  ])('is read from %j and %s', (headers, url) => {
    expect(read(headers as Record<string, string>, url)).toEqual({ status: 'one', text: 'k' });
  });

  it.each([
    [{ 'x-apikey': 'k' }, '/?apikey=other'],
    [{ 'x-apikey': 'k, other' }, '/'],
    [{ 'x-apikey': 'k', authorization: 'Bearer other' }, '/'],
    [{}, '/?apikey=k&apikey=other'],
  ])('is not chosen when %j and %s disagree', (headers, url) => {
    expect(read(headers as Record<string, string>, url)).toEqual({ status: 'several' });
  });

  it('is not chosen from two Authorization headers, of which Node shows only the first', () => {
    expect(read({ authorization: 'Bearer k' }, '/', ['Authorization', 'Bearer other'])).toEqual({ status: 'several' });
  });

  it('is missing when there is none, an empty one in the query, or another scheme', () => {
    expect(read({})).toEqual({ status: 'none' });
    expect(read({}, '/?apikey=')).toEqual({ status: 'none' });
    expect(read({ authorization: 'Basic a2s=' })).toEqual({ status: 'none' });
  });
});
