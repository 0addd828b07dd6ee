import { describe, expect, it } from 'vitest';
import { mayHaveToken, readUserCookie, readUserCredentials, userCookie } from './user-credentials.js';

type Sent = { headers?: Record<string, string>; url?: string };

function request({ headers = {}, url = '/rest/x' }: Sent) {
  return { headers, url, rawHeaders: Object.entries(headers).flat() };
}
const read = (sent: Sent) => readUserCredentials(request(sent));

describe('the token of a user', () => {
  it('is read from the header, the query and the cookie, and a key beside it is known as such', () => {
    expect(read({ headers: { authorization: 'Bearer a.b.c' } })).toEqual({
      status: 'token',
      token: 'a.b.c',
      key: null,
    });
    expect(read({ url: '/realtime?jwt=a.b.c&rt-apikey=tw_x' })).toEqual({
      status: 'token',
      token: 'a.b.c',
      key: 'tw_x',
    });
    expect(read({ url: '/realtime?token=a.b.c' })).toEqual({ status: 'token', token: 'a.b.c', key: null });
    expect(read({ headers: { authorization: 'Bearer a.b.c', 'x-apikey': 'tw_x' } })).toMatchObject({ key: 'tw_x' });
    expect(read({ headers: { cookie: 'x=1; tidewire_user=a.b.c' } })).toMatchObject({ token: 'a.b.c', key: null });
  });

  it('in the cookie counts only when there is no other credential', () => {
    const cookie = 'tidewire_user=a.b.c';
    expect(read({ headers: { cookie, 'x-apikey': 'tw_x' } })).toEqual({ status: 'key' });
    expect(read({ headers: { cookie, authorization: 'Bearer d.e.f' } })).toMatchObject({ token: 'd.e.f' });
    expect(read({ headers: { cookie: 'tidewire_user=nothing' } })).toEqual({ status: 'none' });
  });

  it('that is there twice counts once, and two different ones are refused, as two different keys are', () => {
    const headers = { authorization: 'Bearer a.b.c' };
    expect(read({ headers, url: '/?jwt=a.b.c' })).toMatchObject({ token: 'a.b.c' });
    expect(read({ headers, url: '/?jwt=d.e.f' })).toEqual({ status: 'several' });
    expect(read({ headers: { ...headers, 'x-apikey': 'tw_x' }, url: '/?rt-apikey=tw_y' })).toEqual({
      status: 'several',
    });
    expect(read({})).toEqual({ status: 'none' });
  });

  it('is not looked for where it cannot be', () => {
    expect(mayHaveToken(request({ headers: { 'x-apikey': 'tw_x' }, url: '/rest/x?q={}' }))).toBe(false);
    const others: Sent[] = [{ headers: { cookie: 'a=b' } }, { headers: { authorization: 'x' } }, { url: '/?jwt=x' }];
    for (const sent of others) expect(mayHaveToken(request(sent))).toBe(true);
  });

  it('has a cookie that no script reads, bound to the host where that can be', () => {
    expect(userCookie('a.b.c', 900, true)).toBe(
      '__Host-tidewire_user=a.b.c; Path=/; Max-Age=900; HttpOnly; SameSite=Lax; Secure',
    );
    expect(userCookie(null, 900, false)).toBe('tidewire_user=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax');
    expect(readUserCookie('tidewire_user=d.e.f; __Host-tidewire_user=a.b.c')).toBe('a.b.c');
    expect([readUserCookie(undefined), readUserCookie('=; ;tidewire_user=')]).toEqual([null, null]);
  });
});
