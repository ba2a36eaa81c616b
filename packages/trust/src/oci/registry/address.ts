import type { LookupFunction } from 'node:net';
import { quote, TrustFault } from '../../fault/fault.ts';
import { isLoopbackHost } from '../loopback.ts';

// Loopback, link-local, private, shared and special ranges (IANA special-purpose registries, RFC
// 6890): no storage and no token service of a public registry is there.
const IPV4_RANGES: readonly (readonly [string, number])[] = [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['224.0.0.0', 3],
];
const IPV6_RANGES: readonly (readonly [string, number])[] = [
  ['::', 96],
  ['64:ff9b:1::', 48],
  ['2001::', 32],
  ['fc00::', 7],
  ['fe80::', 9],
  ['ff00::', 8],
];

/** Who may be reached wherever they are: the hosts that a person or a configuration named. */
export type HostNames = (hostname: string) => boolean;

/**
 * The hosts of `named` (`HOST` or `HOST:PORT`): the others are kept from this machine and from
 * private networks (semantics 19). A loopback name among them (`localhost`, 127.0.0.0/8, ::1) stands for every loopback name.
 */
export function namedHosts(named: readonly string[]): HostNames {
  const names = named.map((host) => bare(URL.parse(`http://${host}`)?.hostname ?? host));
  const isLocal = names.some(isLoopbackHost);
  return (hostname) => {
    const host = bare(hostname);
    return names.includes(host) || (isLocal && isLoopbackHost(host));
  };
}

/** Throws `registry.address` when the host of a URL is itself an address that is not public. */
export function checkLiteral(hostname: string): void {
  const host = bare(hostname);
  const { isIP } = process.getBuiltinModule('node:net');
  if (isIP(host) !== 0 && !isPublicAddress(host)) throw forbidden(host, host);
}

/**
 * A lookup for connections to hosts that nobody named: fails with `registry.address` when any of a
 * name's addresses is not public. It is asked at each connection, so a name cannot change between
 * the check and the use.
 */
export const publicLookup: LookupFunction = (hostname, options, callback) => {
  const { lookup } = process.getBuiltinModule('node:dns');
  lookup(hostname, { ...options, all: true }, (error, addresses) => {
    if (error !== null) {
      callback(error, '');
      return;
    }
    const wrong = addresses.find(({ address }) => !isPublicAddress(address));
    const [first] = addresses;
    if (wrong !== undefined) callback(forbidden(hostname, wrong.address), '');
    else if (options.all === true) callback(null, [...addresses]);
    else callback(null, first?.address ?? '', first?.family);
  });
};

let ranges: import('node:net').BlockList | undefined;

/** Whether an IP address is one of the public internet. */
export function isPublicAddress(address: string): boolean {
  const { isIPv6 } = process.getBuiltinModule('node:net');
  ranges ??= specialRanges();
  // `fe80::1%eth0`: the zone says nothing about the range.
  const [plain = ''] = address.split('%', 1);
  return !ranges.check(plain, isIPv6(plain) ? 'ipv6' : 'ipv4');
}

// An IPv4-mapped address (::ffff:0:0/96) is held against the IPv4 ranges by the list itself.
function specialRanges(): import('node:net').BlockList {
  const { BlockList } = process.getBuiltinModule('node:net');
  const list = new BlockList();
  for (const [network, bits] of IPV6_RANGES) list.addSubnet(network, bits, 'ipv6');
  for (const [network, bits] of IPV4_RANGES) {
    list.addSubnet(network, bits, 'ipv4');
    const [high, low] = halves(network);
    // RFC 6052 (NAT64) and RFC 3056 (6to4): IPv4 addresses in IPv6 ones, which gateways unwrap.
    list.addSubnet(`64:ff9b::${high}:${low}`, 96 + bits, 'ipv6');
    list.addSubnet(`2002:${high}:${low}::`, 16 + bits, 'ipv6');
  }
  return list;
}

function halves(network: string): readonly [string, string] {
  const [a = 0, b = 0, c = 0, d = 0] = network.split('.').map(Number);
  return [((a << 8) | b).toString(16), ((c << 8) | d).toString(16)];
}

/** A hostname as `URL` gives it, without the brackets of IPv6. */
function bare(hostname: string): string {
  return hostname.toLowerCase().replace(/^\[|\]$/g, '');
}

function forbidden(hostname: string, address: string): TrustFault {
  return new TrustFault(
    'registry.address',
    `the registry leads to ${quote(hostname)}, at ${address}: no address of the public internet`,
  );
}
