import { BlockList, isIP } from 'node:net';

const LOOPBACK = new BlockList();
LOOPBACK.addSubnet('127.0.0.0', 8, 'ipv4');
LOOPBACK.addAddress('::1', 'ipv6');

const MAPPED = /^::ffff:(\d{1,3}(?:\.\d{1,3}){3})$/i;

/** An address of a socket, with an IPv4 address in IPv6 (`::ffff:192.0.2.1`) written as what it is. */
export function plainAddress(address: string | undefined): string {
  if (address === undefined) return '';
  return MAPPED.exec(address)?.[1] ?? address;
}

/** Whether an address leads to this machine only. False for a name and for anything malformed. */
export function isLoopback(address: string): boolean {
  const kind = isIP(address);
  return kind !== 0 && LOOPBACK.check(address, kind === 4 ? 'ipv4' : 'ipv6');
}
