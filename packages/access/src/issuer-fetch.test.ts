import { expect, it } from 'vitest';
import { createIssuerFetch, isPublicAddress } from './issuer-fetch.js';

it('knows addresses of the Internet from all others', () => {
  const publicOnes = ['1.1.1.1', '93.184.215.14', '172.32.0.1', '2606:4700:4700::1111', '2a00:1450:4001:80e::200e'];
  const others = [
    ...['0.0.0.0', '10.1.2.3', '100.64.0.1', '127.0.0.1', '169.254.169.254', '172.16.0.1', '172.31.255.255'],
    ...['192.0.0.1', '192.168.1.1', '198.18.0.1', '198.19.255.255', '203.0.113.9', '224.0.0.1', '255.255.255.255'],
    ...[
      '::',
      '::1',
      '::ffff:127.0.0.1',
      '::ffff:8.8.8.8',
      '64:ff9b::7f00:1',
      'fe80::1',
      'fc00::1',
      'fd12::1',
      'ff02::1',
    ],
    ...['2001:db8::1', '2001:0:1::1', '2002:7f00:1::', '', 'localhost', '1', '0x7f000001'],
  ];
  expect(publicOnes.filter((address) => !isPublicAddress(address))).toEqual([]);
  expect(others.filter(isPublicAddress)).toEqual([]);
});

it('refuses http, private numbers and names that mean them, before anything is sent', async () => {
  const fetchKeys = createIssuerFetch({ trustedHosts: ['keys.internal'] });
  const options = {
    headers: new Headers(),
    method: 'GET',
    redirect: 'manual',
    signal: AbortSignal.timeout(2_000),
  } as const;
  await expect(fetchKeys('http://1.1.1.1/keys', options)).rejects.toThrow('https only');
  await expect(fetchKeys('https://127.0.0.1/keys', options)).rejects.toThrow('not on the Internet');
  await expect(fetchKeys('https://[::ffff:10.0.0.1]/keys', options)).rejects.toThrow('not on the Internet');
  await expect(fetchKeys('https://localhost:1/keys', options)).rejects.toThrow('not on the Internet');
});
