import { isIP, isIPv4 } from 'node:net';

const MAPPED = /^::ffff:(\d{1,3}(?:\.\d{1,3}){3})$/i;

/** An address of a socket, with an IPv4 address in IPv6 (`::ffff:192.0.2.1`) written as what it is. */
export function plainAddress(address: string | undefined): string {
  if (address === undefined) return '';
  return MAPPED.exec(address)?.[1] ?? address;
}

/** The 4 or 16 bytes of an IP address, in network order; null for anything else. */
export function addressBytes(address: string): Uint8Array | null {
  const [plain = ''] = address.split('%', 1);
  switch (isIP(plain)) {
    case 4:
      return Uint8Array.from(plain.split('.'), Number);
    case 6:
      return Uint8Array.from(groupsOf(plain).flatMap((group) => [group >> 8, group & 0xff]));
    default:
      return null;
  }
}

/** The eight groups of an IPv6 address that was found to be one. */
function groupsOf(address: string): readonly number[] {
  const [head = '', tail] = address.split('::');
  const left = groupList(head);
  if (tail === undefined) return left;
  const right = groupList(tail);
  return [...left, ...Array<number>(8 - left.length - right.length).fill(0), ...right];
}

function groupList(text: string): readonly number[] {
  if (text === '') return [];
  return text.split(':').flatMap((part) => {
    if (!isIPv4(part)) return [Number.parseInt(part, 16)];
    const [a = 0, b = 0, c = 0, d = 0] = part.split('.').map(Number);
    return [a * 256 + b, c * 256 + d];
  });
}
