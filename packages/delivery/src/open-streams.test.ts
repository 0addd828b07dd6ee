import { addressGroup } from '@tidewire/access/login-throttle';
import { describe, expect, it } from 'vitest';
import { createOpenStreams } from './open-streams.js';

const from = (address: string, key: string | null = 'k') => ({ key, address: addressGroup(address) });
const limits = { perKey: 0, perAddress: 0, total: 0 };

describe('the places for streams', () => {
  it('are without end when no bound is set', () => {
    const places = createOpenStreams(limits);
    for (let count = 0; count < 1_000; count += 1) expect(places.take(from('192.0.2.1')).status).toBe('taken');
    expect(places.count).toBe(1_000);
  });

  it('end for one key and not for another, nor for an admin, and come back once for each that is released', () => {
    const places = createOpenStreams({ ...limits, perKey: 2 });
    const [first] = [places.take(from('192.0.2.1')), places.take(from('192.0.2.2'))];
    expect(places.take(from('192.0.2.3'))).toEqual({ status: 'full', of: 'key' });
    expect(places.take(from('192.0.2.3', 'other')).status).toBe('taken');
    expect(places.take(from('192.0.2.3', null)).status).toBe('taken');
    if (first?.status !== 'taken') throw new Error('not taken');
    first.release();
    first.release();
    expect(places.take(from('192.0.2.3')).status).toBe('taken');
    expect(places.take(from('192.0.2.3'))).toEqual({ status: 'full', of: 'key' });
  });

  it('end for an address whatever the key, for all of a /64 of IPv6 together, and never for this machine', () => {
    const places = createOpenStreams({ ...limits, perAddress: 1 });
    const taken = (address: string, key: string) => places.take(from(address, key)).status;
    expect([taken('192.0.2.1', 'a'), taken('::ffff:192.0.2.1', 'b'), taken('192.0.2.2', 'b')]).toEqual([
      'taken',
      'full',
      'taken',
    ]);
    expect([taken('2001:db8:0:1::1', 'a'), taken('2001:db8:0:1:ffff::9', 'b'), taken('2001:db8:0:2::1', 'b')]).toEqual([
      'taken',
      'full',
      'taken',
    ]);
    for (const address of ['127.0.0.1', '127.9.9.9', '::1', '::ffff:127.0.0.1'])
      expect([taken(address, 'a'), taken(address, 'a')]).toEqual(['taken', 'taken']);
  });

  it('end for the whole process', () => {
    const places = createOpenStreams({ ...limits, total: 1 });
    expect(places.take(from('192.0.2.1')).status).toBe('taken');
    expect(places.take(from('192.0.2.2', null))).toEqual({ status: 'full', of: 'server' });
  });
});
