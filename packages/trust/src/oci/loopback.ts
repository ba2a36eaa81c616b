let ranges: import('node:net').BlockList | undefined;

/** Whether an IP address, however it is written, leads to this machine only; false for a name. */
export function isLoopbackAddress(address: string): boolean {
  const { isIP } = process.getBuiltinModule('node:net');
  const kind = isIP(address);
  if (kind === 0) return false;
  ranges ??= loopbackRanges();
  return ranges.check(address, kind === 4 ? 'ipv4' : 'ipv6');
}

/** Whether a host is this machine: `localhost`, or an address of loopback, in brackets or not. */
export function isLoopbackHost(hostname: string): boolean {
  return hostname === 'localhost' || isLoopbackAddress(hostname.replace(/^\[|\]$/g, ''));
}

// RFC 1122 §3.2.1.3 and RFC 4291 §2.5.3; an IPv4-mapped address is held against 127.0.0.0/8.
function loopbackRanges(): import('node:net').BlockList {
  const { BlockList } = process.getBuiltinModule('node:net');
  const list = new BlockList();
  list.addSubnet('127.0.0.0', 8, 'ipv4');
  list.addAddress('::1', 'ipv6');
  return list;
}
