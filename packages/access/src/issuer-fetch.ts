/** Fetches the keys of an issuer, whose URL stands in a database's settings: from public hosts over https only, unless the server's configuration trusts the host. */
import { lookup } from 'node:dns';
import http from 'node:http';
import https from 'node:https';
import { BlockList, isIP, type LookupFunction } from 'node:net';
import type { FetchImplementation } from 'jose';

export type IssuerFetchOptions = {
  /** Hosts, with a port or without, that may be asked over http and at private addresses. */
  trustedHosts: readonly string[];
};

/** Most bytes of a JWK Set; one of thirty RSA keys with their certificates has about 100 kB. */
const LIMIT_BYTES = 256 * 1024;

/** Addresses that are not on the Internet (IANA's registries of special-purpose addresses, RFC 6890). */
const notPublic = new BlockList();
for (const [network, bits] of [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.88.99.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 4],
  ['240.0.0.0', 4],
] as const)
  notPublic.addSubnet(network, bits, 'ipv4');
/** Of IPv6 only what is given to the Internet (2000::/3), without the parts that stand for something else. */
const publicIpv6 = new BlockList();
publicIpv6.addSubnet('2000::', 3, 'ipv6');
for (const [network, bits] of [
  ['2001::', 23],
  ['2001:db8::', 32],
  ['2002::', 16],
  ['3fff::', 20],
] as const)
  notPublic.addSubnet(network, bits, 'ipv6');

/** Whether an address may be asked: false for those of this machine, of private networks, and for what is no address. */
export function isPublicAddress(address: string): boolean {
  switch (isIP(address)) {
    case 4:
      return !notPublic.check(address, 'ipv4');
    case 6:
      return publicIpv6.check(address, 'ipv6') && !notPublic.check(address, 'ipv6');
    default:
      return false;
  }
}

/** For jose's `customFetch`: without redirects, at most 256 KiB. What is refused here never leaves the machine. */
export function createIssuerFetch({ trustedHosts }: IssuerFetchOptions): FetchImplementation {
  return (address, { headers, signal }) => {
    const url = new URL(address);
    const hostname = url.hostname.replace(/^\[|\]$/g, '');
    const isTrusted = trustedHosts.includes(url.host) || trustedHosts.includes(hostname);
    if (url.protocol !== 'https:' && !isTrusted) return refuse('keys are fetched over https only');
    if (!isTrusted && isIP(hostname) !== 0 && !isPublicAddress(hostname)) return refuse(notOnTheInternet);
    const options = {
      headers: Object.fromEntries(headers),
      signal,
      agent: false,
      ...(isTrusted ? {} : { lookup: lookUpPublic }),
    };
    return new Promise((resolve, reject) => {
      const { get } = url.protocol === 'https:' ? https : http;
      const request = get(url, options, (response) => {
        readBody(response).then((body) => resolve(new Response(body, { status: response.statusCode ?? 502 })), reject);
      });
      request.on('error', reject);
    });
  };
}

const notOnTheInternet = 'the host of the keys has an address that is not on the Internet';

function refuse(reason: string): Promise<never> {
  return Promise.reject(new Error(reason));
}

/** The look-up that the connection itself uses, so that a name cannot mean another address by then. */
const lookUpPublic: LookupFunction = (hostname, options, callback) => {
  lookup(hostname, { ...options, all: true }, (error, addresses) => {
    const first = addresses?.[0];
    if (error !== null) return callback(error, '');
    if (first === undefined || !addresses.every(({ address }) => isPublicAddress(address)))
      return callback(new Error(notOnTheInternet), '');
    if (options.all === true) callback(null, addresses);
    else callback(null, first.address, first.family);
  });
};

async function readBody(response: http.IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > LIMIT_BYTES) {
      response.destroy();
      throw new Error('the answer with the keys is too large');
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
