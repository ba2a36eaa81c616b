import { concat } from './byte-string.ts';
import { DER } from './der.ts';

/** One DER value of identifier octet `tag` around the parts (X.690 §10.1). */
export function writeDer(tag: number, ...parts: readonly Uint8Array[]): Uint8Array {
  const content = concat(...parts);
  return concat(Uint8Array.of(tag), writeLength(content.length), content);
}

function writeLength(length: number): Uint8Array {
  if (length < 0x80) return Uint8Array.of(length);
  const octets: number[] = [];
  for (let rest = length; rest > 0; rest = Math.floor(rest / 256)) octets.unshift(rest % 256);
  return Uint8Array.of(0x80 | octets.length, ...octets);
}

/** A SEQUENCE of the parts. */
export function writeSequence(...parts: readonly Uint8Array[]): Uint8Array {
  return writeDer(DER.sequence, ...parts);
}

/** An INTEGER that is not negative. */
export function writeInteger(value: bigint | number): Uint8Array {
  const digits = BigInt(value).toString(16);
  const bytes = Buffer.from(digits.length % 2 === 0 ? digits : `0${digits}`, 'hex');
  const padded = (bytes[0] ?? 0) >= 0x80 ? concat(Uint8Array.of(0), bytes) : bytes;
  return writeDer(DER.integer, padded);
}

/** An OBJECT IDENTIFIER from its dotted form, which the caller wrote: it is not checked. */
export function writeOid(dotted: string): Uint8Array {
  const [root = 0n, second = 0n, ...rest] = dotted.split('.').map((arc) => BigInt(arc));
  const octets = [root * 40n + second, ...rest].flatMap((arc) => {
    const groups = [Number(arc & 0x7fn)];
    for (let left = arc >> 7n; left > 0n; left >>= 7n) groups.unshift(Number(left & 0x7fn) | 0x80);
    return groups;
  });
  return writeDer(DER.oid, Uint8Array.from(octets));
}

/** An OCTET STRING. */
export function writeOctetString(bytes: Uint8Array): Uint8Array {
  return writeDer(DER.octetString, bytes);
}

/** A BOOLEAN. */
export function writeBoolean(value: boolean): Uint8Array {
  return writeDer(DER.boolean, Uint8Array.of(value ? 0xff : 0));
}

/** NULL. */
export function writeNull(): Uint8Array {
  return writeDer(DER.null);
}
